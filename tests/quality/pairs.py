"""Right pairs, written for these tests: the kinds of text of the corpora, with what makes Arabic hard to compare.

Arabic-Indic digits, harakat, tatweel, decomposed letters, mixed direction, abbreviations written out, duals in place of 2.
"""

import unicodedata
from typing import NamedTuple


class Right(NamedTuple):
    """A source and a translation of it that a clinician would sign."""

    kind: str
    source: str
    target: str


def decomposed(text):
    """The same text with its hamzas and maddas as characters of their own."""
    taken_apart = unicodedata.normalize("NFD", text)
    assert taken_apart != text, f"nothing to take apart in {text!r}"
    return taken_apart


_VQA = [
    ("<image>\nIs the left kidney enlarged?", "<image>\nهل الكلية اليسرى متضخمة؟"),
    ("<image>\nIs there a fracture of the right rib?", "<image>\nهل يوجد كسر في الضلع الأيمن؟"),
    ("<image>\nWhich imaging modality was used here?", "<image>\nما طريقة التصوير المستخدمة هنا؟"),
    ("Where is the mass located?\n<image>", "أين تقع الكتلة؟\n<image>"),
    ("How many nodules are visible in the right lung?", "كم عدد العقيدات الظاهرة في الرئة اليمنى؟"),
    ("Does this picture show the spleen?", "هل تُظهِرُ هذه الصورةُ الطحالَ؟"),
    ("Is the liver normal in this image?", "هل الكبـــد طبيعي في هذه الصورة؟"),
    ("Are there any abnormalities in the brain?", decomposed("هل توجد أي تشوهات في الدماغ؟")),
    ("Yes, there is a lesion in the left lobe of the liver.", "نعم، توجد آفة في الفص الأيسر من الكبد."),
    ("Yes, the heart is enlarged.", "نعم، القلب متضخم."),
    ("No, the gallbladder shows no stones.", "لا، المرارة خالية من الحصوات."),
    ("No, the spleen is of normal size.", "لا، حجم الطحال طبيعي."),
    ("CT", "التصوير المقطعي المحوسب"),
    ("MRI", "التصوير بالرنين المغناطيسي"),
    ("T2-weighted MRI", "تصوير بالرنين المغناطيسي موزون بـT2"),
    ("Left", "اليسار"),
    ("The right upper lobe", "الفص العلوي الأيمن"),
    ("The image shows a fracture at L4.", "تُظهر الصورة كسرًا عند الفقرة L4."),
    ("The disc at L5-S1 is narrowed.", "القرص عند المستوى L5-S1 متضيق."),
    ("There is a compression fracture of T12.", "يوجد كسر انضغاطي في الفقرة T12."),
    ("Two lesions are seen in the liver.", "تُرى آفتان في الكبد."),
    ("There are three nodules in the left lung.", "توجد ثلاث عقيدات في الرئة اليسرى."),
    ("What is the size of the mass? It measures 35 mm.", "ما حجم الكتلة؟ يبلغ قياسها ٣٥ مم."),
]
_MCQ = [
    (
        "Which organ is shown in the image?\nA. Liver\nB. Spleen\nC. Left kidney\nD. Stomach",
        "أي عضو يظهر في الصورة؟\nA. الكبد\nB. الطحال\nC. الكلية اليسرى\nD. المعدة",
    ),
    (
        "What is the most likely diagnosis?\nA. Pneumonia\nB. Pneumothorax\nC. Pleural effusion\nD. Normal chest",
        "ما التشخيص الأرجح؟\nA. الالتهاب الرئوي\nB. استرواح الصدر\nC. الانصباب الجنبي\nD. صدر طبيعي",
    ),
    ("B. Right lower lobe", "B. الفص السفلي الأيمن"),
    (
        "How long should the treatment last?\nA. 3 days\nB. 7 days\nC. 14 days",
        "كم ينبغي أن تستمر مدة العلاج؟\nA. ٣ أيام\nB. ٧ أيام\nC. ١٤ يومًا",
    ),
    (
        "At which level is the disc herniated?\nA. L3\nB. L4\nC. L5",
        "عند أي مستوى يوجد انفتاق القرص؟\nA. L3\nB. L4\nC. L5",
    ),
    ("C. Magnetic resonance imaging", "C. التصوير بالرنين المغناطيسي"),
    ("Which of these drugs is not an antibiotic?", "أي من هذه الأدوية ليس مضادًا حيويًا؟"),
    ("Option A is correct because the kidneys are normal.", "الخيار A صحيح لأن الكليتين طبيعيتان."),
]
_REPORT = [
    ("The lungs are clear. There is no pleural effusion.", "الرئتان سليمتان. لا يوجد انصباب جنبي."),
    ("No acute fracture or dislocation is seen.", "لا يُرى كسر حاد أو خلع."),
    ("No evidence of pneumonia.", "لا دليل على وجود التهاب رئوي."),
    ("There is a small effusion on the left.", "يوجد انصباب صغير في الجهة اليسرى."),
    ("The right kidney measures 10.5 cm in length.", "يبلغ طول الكلية اليمنى 10.5 سم."),
    ("The left kidney measures 11.2 cm and contains no stones.", "يبلغ طول الكلية اليسرى ١١٫٢ سم ولا تحتوي على حصوات."),
    ("The aorta has a diameter of 42 mm.", "يبلغ قطر الأبهر 42 ملم."),
    ("The ejection fraction is 55%.", "يبلغ الكسر القذفي ٥٥٪."),
    ("Blood pressure is 140/90 mmHg.", "ضغط الدم 140/90 ملم زئبق."),
    ("The white cell count was 12,500 and the temperature 38.5 °C.", "كان عدد الكريات البيضاء ١٢٬٥٠٠ ودرجة الحرارة ٣٨٫٥ °م."),
    ("A nodule of 8 mm is seen in the right upper lobe.", "تُشاهَدُ عُقَيدةٌ قياسُها 8 مم في الفَصِّ العُلويِّ الأيمن."),
    ("The patient denies chest pain.", "ينفي المريض وجود ألم في الصدر."),
    ("The spleen is not enlarged.", "الطحال غير متضخم."),
    ("The heart is normal in size without pericardial effusion.", decomposed("حجم القلب طبيعي دون انصباب في التأمور.")),
    (
        "Comparison with [DATE]: the pneumothorax on the right has resolved.",
        "بالمقارنة مع [DATE]: زال استرواح الصدر في الجهة اليمنى.",
    ),
    ("Dr. [NAME] was informed by phone at once.", "أُبلغ الدكتور [NAME] هاتفيًا على الفور."),
    (
        "The chest was examined from the front. The heart is slightly enlarged. There is a shadow in the left lower lobe. "
        "The bones show no fracture. A follow-up in 6 weeks is advised.",
        "فُحص الصدر من الأمام. القلب متضخم قليلًا. يوجد ظل في الفص السفلي الأيسر. لا تُظهر العظام أي كسر. "
        "يُنصح بالمتابعة بعد 6 أسابيع.",
    ),
    (
        "CT of the abdomen was performed with contrast. The liver and the spleen are of normal size. Two cysts are seen in the "
        "right kidney. The largest measures 23 mm.",
        "أُجري تصوير مقطعي محوسب للبطن مع مادة تباين. الكبد والطحال بحجم طبيعي. يُشاهد كيسان في الكلية اليمنى. "
        "يبلغ قياس أكبرهما ٢٣ مم.",
    ),
    ("NO ACUTE DISEASE OF THE CHEST.", "لا يوجد مرض حاد في الصدر."),
    ("Stage III cancer of the breast was confirmed.", "تأكدت الإصابة بسرطان الثدي من المرحلة 3."),
    ("Degenerative changes at C5 and C6 are noted.", "تُلاحظ تغيرات تنكسية عند C5 وC6."),
]
_DIALOGUE = [
    (
        "I have had a headache and a fever for three days.",
        "أعاني من صداع وحمى منذ ثلاثة أيام.",
    ),
    ("Take 500 mg of paracetamol every 6 hours.", "تناول ٥٠٠ ملغ من الباراسيتامول كل ٦ ساعات."),
    ("Take 5 ml of the syrup twice a day.", "تناول 5 مل من الشراب مرتين يوميًا."),
    ("Do not take aspirin before the operation.", "لا تتناول الأسبرين قبل العملية."),
    ("You should never stop insulin without asking your doctor.", "يجب ألا توقف الأنسولين أبدًا دون استشارة طبيبك."),
    ("Come back in 2 weeks for a blood test.", "عد بعد أسبوعين لإجراء فحص دم."),
    ("I weighed 70 kg a year ago, and now I weigh 62 kg.", "كان وزني 70 كغ قبل سنة، والآن أزن 62 كغ."),
    ("Well, my throat has been sore since yesterday.", "حسنًا، حلقي يؤلمني منذ أمس."),
    ("Of course, you can drink water before the test.", "بالطبع، يمكنك شرب الماء قبل الفحص."),
    (
        "Please read https://health.example/asthma before your visit.",
        "يُرجى قراءة https://health.example/asthma قبل زيارتك.",
    ),
    ("Is it safe to use ibuprofen during pregnancy?", "هل من الآمن استخدام الإيبوبروفين أثناء الحمل؟"),
    ("My son is 4 years old and has had diarrhea since Monday.", "عمر ابني أربع سنوات ويعاني من الإسهال منذ يوم الاثنين."),
    ("The pain is right in the middle of my chest.", "الألم في منتصف صدري تمامًا."),
    ("The pain in my right knee is worse at night.", "ألم ركبتي اليمنى يزداد سوءًا في الليل."),
    ("Your HbA1c is 7.2%, which is too high.", "نسبة الهيموغلوبين السكري HbA1c لديك هي ٧٫٢٪، وهي مرتفعة جدًا."),
    ("The dose is 0.5 mg per day for 10 days.", "الجرعة هي 0.5 ملغ يوميًا لمدة عشرة أيام."),
    ("Twenty patients took the drug, and twelve got better.", "تناول عشرون مريضًا الدواء، وتحسن اثنا عشر منهم."),
    ("How often do you take the tablets?", "كم مرة تتناول الأقراص؟"),
    ("What did the doctor say about the x-ray?", "ماذا قال الطبيب عن صورة الأشعة السينية؟"),
    (
        "CAD, MI, PE, DVT or COPD?",
        "داء الشرايين التاجية أم احتشاء عضلة القلب أم الانصمام الرئوي أم التخثر الوريدي العميق أم الداء الرئوي الانسدادي المزمن؟",
    ),
    ("Look at it again. Look at it again, please.", "انظر إليها مرة أخرى. انظر إليها مرة أخرى، من فضلك."),
    ("One trip home in 2020 is expensive.", "رحلة العودة في 2020 باهظة الثمن."),
    ("Blood was taken and the infection was treated.", "أُخذ الدم وعولج المريض المصاب بالعدوى."),
    ("See the guide (https://a.example/).", "انظر الدليل (/https://a.example)."),
    ("covid-19 CDC", "مركز مكافحة الأمراض (CDC) الخاص بفيروس كورونا (covid-19)"),
    ("A COVID-19 testing center is near.", "يوجد مركز قريب لفحوصات فيروس كورونا المستجد."),
    ("Avoid every mass gathering.", "تجنب كل التجمعات الجماهيرية."),
    ("It falls by about two thirds.", "ينخفض بنحو الثلثين."),
    ("Do not eat or drink after midnight.", "يُرجى الامتناع عن الأكل والشرب بعد منتصف الليل."),
    ("The left eye is blind; the other one sees well.", "العين اليسرى عمياء، أما اليمنى فترى جيدًا."),
    ("Power is normal in the upper limbs.", "القوة طبيعية في الطرفين العلويين."),
    ("A girl aged 1, and her brother aged 2, have a cough.", "طفلة عمرها سنة وأخوها عمره سنتان يشكوان من السعال."),
    ("Ask at which level I should stop.", "اسأل عن المستوى الذي عليّ أن أتوقف عنده."),
    ("The tumour is stage III-IV and of type II.", "الورم من المرحلة الثالثة إلى الرابعة، ومن النوع II."),
    ("In 2019 the virus was called 2019-nCoV.", "في عام 2019 سُمي الفيروس كورونا المستجد-2019."),
    ("The scores were -2.7 in the spine and -1.9 in the hip.", "كانت الدرجتان −٢٫٧ في العمود الفقري و−١٫٩ في الورك."),
    ("A 1-week course is enough; a 2-week course is not needed.", "تكفي دورة مدتها أسبوع، ولا حاجة إلى دورة مدتها أسبوعان."),
    ("We gave him oxygen and his breathing became easier.", "أعطيناهُ الأُكسِجينَ فصارَ تنفّسُه أسهلَ."),
    (
        "If the swelling of your left ankle does not go down, call us.",
        "إذا لم يخفّ تورم كاحلك الأيسر، فاتصل بنا.",
    ),
]

RIGHT = tuple(
    Right(kind, source, target)
    for kind, texts in (("vqa", _VQA), ("mcq", _MCQ), ("report", _REPORT), ("dialogue", _DIALOGUE))
    for source, target in texts
)
