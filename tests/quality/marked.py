"""Right pairs with dangerous errors written in: `{check:right|wrong}` in the Arabic is one error and the check that names it.

In: the rows below, by text type. Out: MARKED_RIGHT with the right words, WRONG with one error each.
"""

import re
from typing import NamedTuple

from tests.quality.pairs import Right

_MARK = re.compile(r"\{(\w+):([^{}|]*)\|([^{}]*)\}")


class Wrong(NamedTuple):
    """A source, a translation with one error, and the check that has to call it critical."""

    source: str
    target: str
    check: str


_ROWS = (
    (
        "report",
        "There is no evidence of pneumothorax on the left side.",
        "{negation:لا يوجد|يوجد} دليل على استرواح الصدر في الجانب {laterality:الأيسر|الأيمن}.",
    ),
    (
        "report",
        "A 3.2 cm mass is seen in the right upper lobe.",
        "تُشاهد كتلة مقاسها 3.2 {units:سم|مم} في الفص العلوي {laterality:الأيمن|الأيسر}.",
    ),
    (
        "report",
        "Small bilateral pleural effusions, slightly larger on the right.",
        "انصبابان جنبيان صغيران في الجانبين، أكبر قليلًا في الجانب {laterality:الأيمن|الأيسر}.",
    ),
    ("report", "The heart size is within normal limits.", "حجم القلب ضمن الحدود الطبيعية."),
    ("report", "No acute intracranial hemorrhage.", "{negation:لا يوجد نزف|نزف} حاد داخل القحف."),
    ("report", "The lungs are clear without focal consolidation.", "الرئتان صافيتان {negation:دون|مع} تكثف بؤري."),
    ("report", "The gallbladder is unremarkable.", "المرارة {negation:سليمة|متضخمة}."),
    (
        "report",
        "There is a displaced fracture of the left distal radius.",
        "هناك كسر متبدل في الطرف {opposites:القاصي|الداني} لعظم الكعبرة {laterality:الأيسر|الأيمن}.",
    ),
    ("report", "Degenerative changes are most marked at L4-L5 and L5-S1.", "التغيرات التنكسية أشد ما تكون عند L4-L5 وL5-S1."),
    ("report", "The pancreas is free of focal lesions.", "البنكرياس {negation:خالٍ من|يحوي} آفات بؤرية."),
    (
        "report",
        "Neither hydronephrosis nor renal calculi are identified.",
        "{negation:لم يُلاحظ استسقاء كلوي ولا حصيات كلوية|لوحظ استسقاء كلوي وحصيات كلوية}.",
    ),
    ("report", "The appendix fails to fill with contrast.", "{negation:لا تمتلئ|تمتلئ} الزائدة الدودية بمادة التباين."),
    (
        "report",
        "Absence of the right kidney with compensatory hypertrophy of the left kidney.",
        "{negation:غياب|وجود} الكلية {laterality:اليمنى|اليسرى} مع ضخامة معاوضة في الكلية {laterality:اليسرى|اليمنى}.",
    ),
    (
        "report",
        "Midline shift of 8 mm to the right is noted.",
        "لوحظ انحراف الخط الناصف بمقدار ٨ مم نحو {laterality:اليمين|اليسار}.",
    ),
    (
        "discharge",
        "Take one tablet twice daily with food for seven days.",
        "تناول قرصًا واحدًا {numbers:مرتين|ثلاث مرات} يوميًا مع الطعام لمدة {numbers:سبعة|تسعة} أيام.",
    ),
    (
        "discharge",
        "Do not lift anything heavier than 5 kg for six weeks.",
        "{negation:لا ترفع|ارفع} أي شيء يزيد وزنه على 5 {units:كغ|غ} لمدة {numbers:ستة|ثلاثة} أسابيع.",
    ),
    ("discharge", "Keep the wound clean and dry.", "حافظ على نظافة الجرح وجفافه."),
    (
        "discharge",
        "Return to the emergency department if you have a fever above 38.5 °C.",
        "عُد إلى قسم الطوارئ إذا ارتفعت حرارتك {negation:فوق|دون} 38.5 درجة مئوية.",
    ),
    (
        "discharge",
        "You should not drive for 24 hours after the anesthesia.",
        "ينبغي {negation:ألا تقود|أن تقود} السيارة لمدة 24 {units:ساعة|يومًا} {opposites:بعد|قبل} التخدير.",
    ),
    (
        "discharge",
        "Stop taking aspirin five days before surgery.",
        "توقف عن تناول {opposites:الأسبرين|الباراسيتامول} {opposites:قبل|بعد} الجراحة بخمسة أيام.",
    ),
    ("discharge", "Follow up with your surgeon in 2 weeks.", "راجع الجرّاح {opposites:بعد|قبل} أسبوعين."),
    ("discharge", "Avoid alcohol while you are taking this medicine.", "{negation:تجنب|تناول} الكحول أثناء تناول هذا الدواء."),
    ("discharge", "The stitches will be removed on the tenth day.", "ستُزال الغرز في اليوم {numbers:العاشر|الثالث}."),
    (
        "discharge",
        "You may shower after 48 hours, but do not soak the incision.",
        "يمكنك الاستحمام بعد 48 ساعة، لكن {negation:لا تغمر|اغمر} الجرح في الماء.",
    ),
    (
        "discharge",
        "Your next appointment is on 5 June at 10:30 am.",
        "موعدك القادم في 5 {opposites:يونيو|يوليو} الساعة 10:30 {opposites:صباحًا|مساءً}.",
    ),
    ("discharge", "Drink plenty of fluids and rest.", "اشرب الكثير من السوائل واسترح."),
    (
        "leaflet",
        "Adults: 500 mg to 1 g every 4 to 6 hours, maximum 4 g daily.",
        "البالغون: 500 ملغ إلى 1 غ كل 4 إلى 6 ساعات، بحد {opposites:أقصى|أدنى} 4 غ يوميًا.",
    ),
    (
        "leaflet",
        "The recommended starting dose is 2.5 mg once daily.",
        "جرعة البدء الموصى بها هي ٢٫٥ {units:ملغ|غ} {opposites:مرة واحدة|مرتين} يوميًا.",
    ),
    (
        "leaflet",
        "Take half a tablet on an empty stomach, one hour before meals.",
        "خذ {numbers:نصف|ربع} قرص على معدة فارغة، {opposites:قبل|بعد} الوجبات بساعة واحدة.",
    ),
    ("leaflet", "Amoxicillin 250 mg/5 ml oral suspension.", "أموكسيسيلين معلق فموي 250 {units:ملغ/5 مل|ملغ/5 ملغ}."),
    (
        "leaflet",
        "The drug is contraindicated in severe renal failure.",
        "{negation:لا يجوز استعمال|يجوز استعمال} الدواء في الفشل الكلوي الشديد.",
    ),
    (
        "leaflet",
        "Warfarin may increase the risk of bleeding.",
        "قد {opposites:يزيد|يقلل} {opposites:الوارفارين|الهيبارين} من خطر النزف.",
    ),
    (
        "leaflet",
        "Ibuprofen should be taken after meals.",
        "يجب تناول {opposites:الإيبوبروفين|الديكلوفيناك} {opposites:بعد|قبل} الوجبات.",
    ),
    ("leaflet", "Side effects occur in up to 1 in 10 people.", "تحدث الآثار الجانبية لدى ما يصل إلى 1 من كل 10 أشخاص."),
    (
        "leaflet",
        "Store below 25 °C, protected from light.",
        "يُحفظ في درجة حرارة {opposites:أقل من|أعلى من} ٢٥ درجة مئوية بعيدًا عن الضوء.",
    ),
    (
        "leaflet",
        "Metformin does not cause hypoglycemia when used alone.",
        "{negation:لا يسبب|يسبب} {opposites:الميتفورمين|الغليبنكلاميد} {opposites:نقص|فرط} سكر الدم عند استعماله وحده.",
    ),
    (
        "leaflet",
        "Give 10 units of insulin subcutaneously before dinner.",
        "أعطِ 10 {units:وحدات|مل} من الأنسولين تحت الجلد {opposites:قبل|بعد} العشاء.",
    ),
    (
        "leaflet",
        "Not for use in children under 12 years of age.",
        "{negation:لا يُستعمل|يُستعمل} للأطفال {opposites:دون|فوق} سن 12 {units:سنة|شهرًا}.",
    ),
    ("leaflet", "The dose may be increased by 25 % every two weeks.", "يمكن {opposites:زيادة|خفض} الجرعة بنسبة 25 ٪ كل أسبوعين."),
    (
        "leaflet",
        "Salbutamol inhaler, 100 micrograms per puff.",
        "بخاخ {opposites:سالبوتامول|إبراتروبيوم}، 100 {units:ميكروغرام|ملغ} لكل بخة.",
    ),
    (
        "leaflet",
        "Hypokalemia can occur with long-term use of furosemide.",
        "قد يحدث {opposites:نقص|فرط} بوتاسيوم الدم مع الاستعمال الطويل الأمد {opposites:للفوروسيميد|للسبيرونولاكتون}.",
    ),
    (
        "leaflet",
        "The infusion rate must not exceed 50 ml/h.",
        "يجب {negation:ألا يتجاوز|أن يتجاوز} معدل التسريب 50 {units:مل/ساعة|مل/دقيقة}.",
    ),
    (
        "vqa",
        "<image> What abnormality is seen in the left lung?",
        "<image> ما الشذوذ الذي يُرى في الرئة {laterality:اليسرى|اليمنى}؟",
    ),
    (
        "vqa",
        "<image> Is there evidence of free air under the diaphragm?",
        "<image> هل يوجد دليل على هواء حر {opposites:تحت|فوق} الحجاب الحاجز؟",
    ),
    (
        "vqa",
        "Which side is affected? (A) Left (B) Right (C) Both (D) Neither",
        "أي جانب مصاب؟ (A) {laterality:الأيسر|الأيمن} (B) الأيمن (C) كلاهما (D) لا هذا ولا ذاك",
    ),
    (
        "vqa",
        "Question: What is the most common cause? A. Viral infection B. Bacterial infection C. Fungal infection D. Trauma",
        "السؤال: ما السبب الأكثر شيوعًا؟ A. عدوى {opposites:فيروسية B. عدوى بكتيرية|بكتيرية B. عدوى فيروسية} C. عدوى فطرية D. رضح",
    ),
    ("vqa", "Is the trachea deviated to the left?", "هل الرغامى منحرفة إلى {laterality:اليسار|اليمين}؟"),
    ("vqa", "Does this patient have pneumonia?", "هل هذا المريض مصاب بذات الرئة؟"),
    ("vqa", "What color is the lesion?", "ما لون الآفة؟"),
    (
        "patient",
        "I have had a headache for three days. Should I be worried?",
        "أعاني من صداع منذ {numbers:ثلاثة|خمسة} أيام. هل عليّ أن أقلق؟",
    ),
    ("patient", "Can I take ibuprofen while breastfeeding?", "هل يمكنني تناول الإيبوبروفين أثناء الرضاعة الطبيعية؟"),
    ("patient", "My right knee hurts when I climb stairs.", "تؤلمني ركبتي {laterality:اليمنى|اليسرى} عندما أصعد الدرج."),
    (
        "patient",
        "I am right-handed and the numbness is in my left hand.",
        "أنا أستخدم يدي اليمنى والخدر في يدي {laterality:اليسرى|اليمنى}.",
    ),
    ("patient", "I don't smoke and I never drank alcohol.", "أنا {negation:لا أدخن ولم أشرب|أدخن وأشرب} الكحول قط."),
    ("patient", "How long will the pain last after the operation?", "كم سيستمر الألم {opposites:بعد|قبل} العملية؟"),
    ("patient", "My father had a heart attack at 52.", "أُصيب {opposites:أبي|أخي} بنوبة قلبية في سن 52."),
    ("patient", "My son is 4 years old and has a fever of 39.2.", "ابني عمره 4 سنوات ولديه حمى 39.2."),
    (
        "public",
        "Wash your hands with soap and water for at least 20 seconds.",
        "اغسل يديك بالماء والصابون لمدة 20 {units:ثانية|دقيقة} على {opposites:الأقل|الأكثر}.",
    ),
    (
        "public",
        "About one in five adults has high blood pressure.",
        "يعاني نحو واحد من كل خمسة بالغين من {opposites:ارتفاع|انخفاض} ضغط الدم.",
    ),
    ("public", "The number of cases fell by 12.5% in 2021.", "{opposites:انخفض|ارتفع} عدد الحالات بنسبة ١٢٫٥٪ في عام ٢٠٢١."),
    ("public", "More than 1.5 million people were vaccinated.", "جرى تطعيم {opposites:أكثر من|أقل من} 1.5 مليون شخص."),
    ("public", "Smoking is the leading cause of lung cancer.", "التدخين هو السبب الرئيسي لسرطان الرئة."),
    ("public", "There is no vaccine against this virus yet.", "{negation:لا يوجد لقاح|يوجد لقاح} ضد هذا الفيروس حتى الآن."),
    ("public", "Half of the children were not vaccinated.", "{numbers:نصف|ربع} الأطفال {negation:لم يتلقوا|تلقوا} اللقاح."),
    (
        "public",
        "The disease is transmitted by mosquitoes, not by contact with patients.",
        "ينتقل المرض عن طريق البعوض {negation:وليس|وكذلك} بمخالطة المرضى.",
    ),
    ("public", "Cover your mouth when you cough or sneeze.", "غطِّ فمك عند السعال أو العطس."),
    (
        "public",
        "People aged 65 years and older are at higher risk.",
        "الأشخاص الذين تبلغ أعمارهم 65 {units:عامًا|شهرًا} فأكثر معرضون لخطر أعلى.",
    ),
    ("negation", "The patient denies chest pain.", "{negation:ينفي المريض وجود|يشكو المريض من} ألم في الصدر."),
    ("negation", "She has no known drug allergies.", "{negation:ليس لديها|لديها} أي حساسية معروفة للأدوية."),
    ("negation", "He did not respond to treatment.", "{negation:لم يستجب|استجاب} للعلاج."),
    ("negation", "The tumor cannot be resected.", "{negation:لا يمكن|يمكن} استئصال الورم."),
    ("negation", "Lack of sleep weakens immunity.", "{negation:قلة|كثرة} النوم تضعف المناعة."),
    (
        "negation",
        "The pulse was absent in the left foot.",
        "كان النبض {negation:غائبًا|موجودًا} في القدم {laterality:اليسرى|اليمنى}.",
    ),
    ("negation", "None of the patients died.", "{negation:لم يمت|مات} أي من المرضى."),
    ("negation", "The test was negative for HIV.", "كانت نتيجة اختبار فيروس نقص المناعة البشرية {negation:سلبية|إيجابية}."),
    ("negation", "The patient is unable to swallow.", "المريض {negation:غير قادر على|قادر على} البلع."),
    ("negation", "It is unclear whether the drug is effective.", "{negation:ليس من الواضح|من الواضح} ما إذا كان الدواء فعالًا."),
    ("negation", "The cause is unknown.", "السبب {negation:غير معروف|معروف}."),
    ("negation", "He has never had surgery.", "{negation:لم يخضع قط|خضع} لعملية جراحية."),
    ("negation", "The abdomen is soft and non-tender.", "البطن لين {negation:وغير مؤلم|ومؤلم} بالجس."),
    ("negation", "Nobody in the family has diabetes.", "{negation:لا أحد في العائلة مصاب|الجميع في العائلة مصابون} بداء السكري."),
    ("negation", "The infant failed to gain weight.", "{negation:لم يكتسب|اكتسب} الرضيع وزنًا."),
    ("negation", "The joint is painless.", "المفصل {negation:غير مؤلم|مؤلم}."),
    ("negation", "There was a complete loss of consciousness.", "كان هناك فقدان كامل للوعي."),
    ("negation", "The patient was afebrile overnight.", "كان المريض {negation:بلا حمى|محمومًا} طوال الليل."),
    ("side", "The pain radiates to the left arm.", "ينتشر الألم إلى الذراع {laterality:اليسرى|اليمنى}."),
    ("side", "Amputation of the right great toe was performed.", "أُجري بتر إبهام القدم {laterality:اليمنى|اليسرى}."),
    ("side", "Vision in the left eye is 6/60.", "حدة البصر في العين {laterality:اليسرى|اليمنى} 6/60."),
    (
        "side",
        "A stroke in the right hemisphere causes weakness on the left side of the body.",
        "تسبب السكتة في نصف الكرة المخية {laterality:الأيمن|الأيسر} ضعفًا في الجانب {laterality:الأيسر|الأيمن} من الجسم.",
    ),
    ("side", "Right lower quadrant tenderness with guarding.", "إيلام في الربع السفلي {laterality:الأيمن|الأيسر} مع دفاع عضلي."),
    (
        "side",
        "The catheter was inserted into the right internal jugular vein.",
        "أُدخلت القثطرة في الوريد الوداجي الباطن {laterality:الأيمن|الأيسر}.",
    ),
    ("side", "Left breast lump for two months.", "كتلة في الثدي {laterality:الأيسر|الأيمن} منذ شهرين."),
    (
        "clinical",
        "Serum creatinine was 1.8 mg/dL and potassium was 5.9 mmol/L.",
        "كان كرياتينين المصل 1.8 {units:ملغ/دل|غ/دل} والبوتاسيوم 5.9 ملي مول/لتر.",
    ),
    (
        "clinical",
        "Hemoglobin dropped from 13.2 to 9.8 g/dL.",
        "{opposites:انخفض|ارتفع} الهيموغلوبين من {numbers:13.2 إلى 9.8|9.8 إلى 13.2} غ/دل.",
    ),
    (
        "clinical",
        "Systolic blood pressure was 90 mmHg.",
        "كان ضغط الدم {opposites:الانقباضي|الانبساطي} 90 {units:ملم زئبق|سم زئبق}.",
    ),
    (
        "clinical",
        "Acute bronchitis usually resolves within three weeks.",
        "يزول التهاب القصبات {opposites:الحاد|المزمن} عادة خلال {numbers:ثلاثة|ستة} أسابيع.",
    ),
    ("clinical", "The surgery lasted two and a half hours.", "استغرقت الجراحة ساعتين ونصف الساعة."),
    (
        "clinical",
        "Heart rate 110 bpm, respiratory rate 24/min, SpO2 92%.",
        "معدل ضربات القلب 110 نبضة/دقيقة، ومعدل التنفس 24/دقيقة، وتشبع الأكسجين 92%.",
    ),
    (
        "clinical",
        "The patient is a 67-year-old man with type 2 diabetes.",
        "المريض رجل عمره 67 عامًا مصاب بداء السكري من النوع الثاني.",
    ),
    ("clinical", "The female patient is 30 weeks pregnant.", "المريضة حامل في الأسبوع الثلاثين."),
    ("vocalised", "Take two capsules after breakfast.", "تَنَاوَلْ {numbers:كَبْسُولَتَيْنِ|ثَلَاثَ كَبْسُولَاتٍ} {opposites:بَعْدَ|قَبْلَ} الْفَطُورِ."),
    ("vocalised", "There is no sign of infection.", "{negation:لَا تُوجَدُ|تُوجَدُ} عَلَامَةٌ عَلَى الْعَدْوَى."),
    ("vocalised", "The left lung is collapsed.", "الرِّئَةُ {laterality:الْيُسْرَى|الْيُمْنَى} مُنْخَمِصَةٌ."),
    ("vocalised", "The dose is 40 mg every 12 hours.", "الْجُرْعَةُ ٤٠ {units:مِلِّيغْرَامًا|غْرَامًا} كُلَّ ١٢ سَاعَةً."),
)


def _right(marked: str) -> str:
    return _MARK.sub(lambda mark: mark[2], marked)


def _wrong(source: str, marked: str) -> list[Wrong]:
    return [
        Wrong(source, f"{_right(marked[: mark.start()])}{mark[3]}{_right(marked[mark.end() :])}", mark[1])
        for mark in _MARK.finditer(marked)
    ]


#: Errors of form and of table, that no word in a right sentence shows.
WRITTEN = (
    Wrong("Proximal", "بعيد", "closed_answer"),
    Wrong("Left kidney", "الكلية اليمنى", "closed_answer"),
    Wrong("Brain tumor", "الدماغ", "closed_answer"),
    Wrong("The liver is enlarged.", "الكبد متضخم. غادر القطار المحطة متأخرًا هذا اليوم.", "extra_sentence"),
    Wrong("Is the liver enlarged?", "هل الكبد متضخم؟ غادر القطار المحطة متأخرًا.", "extra_sentence"),
    Wrong("The patient slept well.", "نام المريض جيدًا. نام المريض جيدًا.", "repetition"),
    Wrong("The correct answer is B.", "الإجابة الصحيحة هي C.", "option_letters"),
    Wrong("What is it? (A) A cyst (B) A stone (C) A node", "ما هذا؟ (A) كيسة (C) حصاة (B) عقدة", "option_letters"),
    Wrong("Hemoglobin fell from 13.2 to 9.8.", "انخفض الهيموغلوبين من 9.8 إلى 13.2.", "numbers"),
    Wrong("Take 4 g a day, 1 g every 6 hours.", "تناول غ واحدًا كل 6 ساعات، و4 غ في اليوم.", "numbers"),
    Wrong("Grip was 3/5 on one side.", "كانت القبضة /5 في أحد الجانبين.", "numbers"),
    Wrong("The visit is on May 1.", "الزيارة في مايو.", "numbers"),
    Wrong("Cells of type I and type II are reduced.", "انخفضت الخلايا من النوع والنوع 2.", "numbers"),
    Wrong("A tumour of stage II-IV was seen.", "شوهد ورم من المرحلة الثانية إلى الثالثة.", "numbers"),
    Wrong("The patients had SARS-CoV-2 for 2 weeks.", "كان المرضى مصابين بسارس-كوف-2 لمدة من الأسابيع.", "numbers"),
    Wrong("Coronavirus 2 (SARS-CoV-2) is new.", "فيروس كورونا المستجد (سارس-كوف-2) جديد.", "numbers"),
    Wrong("The enzyme (ACE2) binds; lisinopril spares ACE2.", "يرتبط الإنزيم (ACE)، وليزينوبريل لا يمس ACE2.", "numbers"),
    Wrong("COVID-19 spread.", "انتشر كوفيد.", "numbers"),
    Wrong("She denies vomiting or weight loss.", "تؤكد المريضة القيء ونقص الوزن.", "negation"),
    Wrong("It is smooth, with no ulcer, but must go.", "هو أملس وفيه تقرح، إلا أنه يجب استئصاله.", "negation"),
    Wrong("A left paracentral bulge meets the left L5 root.", "انتباج مجاور للمركز أيسر يلامس الجذر L5 الأيمن.", "laterality"),
    Wrong("Stay 1 to 2 metres (3 to 6 feet) apart.", "ابتعد من 3 إلى 2 متر (3 إلى 6 أقدام).", "numbers"),
    Wrong("Questions 1 and 2 are open.", "السؤالان المتعلقان 1 ومفتوحان.", "numbers"),
    Wrong("Eat five portions and less than 5 grams of salt.", "تناول خمس حصص وأقل من غرامات من الملح.", "numbers"),
    Wrong("Call us again at window 1.", "اتصل بنا مرة أخرى عند النافذة.", "numbers"),
    Wrong("Start with 500 mg, then 500 mg twice.", "ابدأ بجرعة 500 غ، ثم 500 ملغ مرتين.", "units"),
    Wrong("Give 50 ml per hour.", "أعطِ 50 مل في الدقيقة.", "units"),
    Wrong("People over 60 are at risk.", "الأشخاص فوق 60 شهرًا معرضون للخطر.", "units"),
    Wrong("MI or PE?", "MI or PE?", "untranslated"),
    Wrong("Chew it once a day.", "امضغه once a day.", "untranslated"),
    Wrong("The MRI was normal.", "The MRI طبيعي.", "untranslated"),
    Wrong("Rest at home.", "الترجمة: استرح في المنزل.", "preamble"),
    Wrong("Rest at home.", "بصفتي نموذجًا لغويًا، أترجم: استرح في المنزل.", "preamble"),
    Wrong("Rest at home.", "استرح في المنزل.\n\nهل ترغب في أن أترجم نصًا آخر؟", "preamble"),
    Wrong("The left lung is clear. The right kidney is small.", "الرئة اليمنى صافية. الكلية اليسرى صغيرة.", "laterality"),
    Wrong("The heart is normal. There is no fracture. No stones.", "القلب طبيعي. يوجد كسر. لا حصيات.", "negation"),
    Wrong("Do not stop it without advice.", "أوقفه دون استشارة.", "negation"),
)

MARKED_RIGHT = tuple(Right(kind, source, _right(marked)) for kind, source, marked in _ROWS)
WRONG = tuple(wrong for _, source, marked in _ROWS for wrong in _wrong(source, marked))
