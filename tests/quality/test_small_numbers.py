"""Small numbers that Arabic says by a dual, a singular or an ordinal: none of these right pairs has lost one."""

import pytest

from pipeline.quality.checks import run_checks

RIGHT = (
    ("The patient is para 2.", "المريضة ولدت مرتين."),
    (
        "Her mother had breast cancer at 40 and her aunt at 52; 1 of 3 sisters is affected.",
        "أصيبت أمها بسرطان الثدي في الأربعين وخالتها في 52 من العمر، وإحدى أخواتها الثلاث مصابة.",
    ),
    ("Take 1 or 2 tablets as needed.", "خذ قرصًا أو قرصين عند الحاجة."),
    ("Apply 1 to 2 times a day.", "يوضع مرة إلى مرتين يوميًا."),
    ("The score was 2, indicating mild disease.", "كانت الدرجة 2، وهذا يدل على مرض خفيف."),
    ("Grade 1 and grade 2 tumours grow slowly.", "تنمو الأورام من الدرجتين الأولى والثانية ببطء."),
    ("Type 1 diabetes (T1D) begins in childhood.", "يبدأ السكري من النمط الأول في الطفولة."),
    ("In group 1, two patients died; in group 2, none.", "توفي مريضان في المجموعة الأولى، ولم يتوفَّ أحد في الثانية."),
    ("Step 1: wash your hands.", "الخطوة الأولى: اغسل يديك."),
    ("Phase 2 trial of a new vaccine", "تجربة من المرحلة الثانية للقاح جديد"),
    ("HER2-positive tumours respond to trastuzumab.", "تستجيب الأورام الإيجابية لـ HER2 للتراستوزوماب."),
    ("H1N1 caused a pandemic in 2009.", "تسبب فيروس H1N1 في جائحة عام 2009."),
    ("COX-2 inhibitors raise the risk of heart attack.", "تزيد مثبطات COX-2 خطر النوبة القلبية."),
    ("Omega-3 fatty acids", "أحماض أوميغا-3 الدهنية"),
    ("Vitamin D3 and vitamin K2 are fat-soluble.", "الفيتامينان D3 وK2 يذوبان في الدهون."),
    ("PaO2 was 60 mmHg and PaCO2 was 50 mmHg.", "كان ضغط الأكسجين الشرياني 60 ملم زئبق وضغط ثاني أكسيد الكربون 50 ملم زئبق."),
    ("SpO2 92% on room air", "تشبع الأكسجين 92% على هواء الغرفة"),
    ("The patient received beta-2 agonists.", "أُعطي المريض ناهضات بيتا 2."),
    ("CA-125 was raised.", "كان CA-125 مرتفعًا."),
    ("C-reactive protein fell on day 2.", "انخفض البروتين التفاعلي C في اليوم الثاني."),
    ("Visit 2 is due in 1 month.", "الزيارة الثانية بعد شهر."),
    ("There are 2, possibly 3, nodules.", "هناك عقيدتان وربما ثلاث."),
    ("Patients 1 and 2 were siblings.", "كان المريضان الأول والثاني شقيقين."),
    ("Both eyes: 2 drops.", "في كل عين: قطرتان."),
    ("A 2-year-old boy with fever for 1 day.", "طفل عمره سنتان مصاب بالحمى منذ يوم."),
    ("A 1-year-old girl", "طفلة عمرها عام"),
    ("He is 2.", "عمره سنتان."),
    ("About 1 in 10 people has asthma.", "شخص واحد من كل عشرة أشخاص مصاب بالربو."),
    ("1 in 4 adults is obese.", "واحد من كل أربعة بالغين مصاب بالسمنة."),
    ("Use it for no more than 1 week.", "لا تستعمله أكثر من أسبوع."),
    ("Once every 2 weeks", "مرة كل أسبوعين"),
    ("NYHA class II heart failure", "قصور القلب من الصنف الثاني حسب جمعية القلب في نيويورك"),
    ("Class I antiarrhythmics", "مضادات اضطراب النظم من الفئة الأولى"),
    ("cranial nerve VII palsy", "شلل العصب القحفي السابع"),
    ("Salter-Harris type II fracture", "كسر سالتر-هاريس من النوع II"),
    ("stage 1-2 pressure ulcer", "قرحة ضغط من المرحلة 1-2"),
    ("Hepatitis C genotype 1", "التهاب الكبد C من النمط الجيني 1"),
    ("MHC class I molecules present peptides.", "تعرض جزيئات معقد التوافق النسيجي الكبير من الصنف الأول الببتيدات."),
    ("The first metatarsal", "مشط القدم الأول"),
    ("Lesion (2) is larger than lesion (1).", "الآفة (2) أكبر من الآفة (1)."),
    ("Figure 2 shows a normal heart.", "يُظهر الشكل 2 قلبًا طبيعيًا."),
    ("Add 1 teaspoon of salt to 1 litre of water.", "أضف ملعقة صغيرة من الملح إلى لتر من الماء."),
    ("1 month after surgery, the knee was stable.", "بعد شهر من الجراحة كانت الركبة ثابتة."),
    ("Give 2 puffs (200 mcg) of salbutamol.", "أعطِ بختين (200 مكغ) من السالبوتامول."),
    ("Repeat 2 or 3 times.", "كرر مرتين أو ثلاث مرات."),
    ("Between 1 and 2 hours", "بين ساعة وساعتين"),
    ("It happened 1 or 2 days ago.", "حدث ذلك قبل يوم أو يومين."),
    ("Less than 1 hour", "أقل من ساعة"),
    ("More than 2 days", "أكثر من يومين"),
    ("Two of 2 tests were negative.", "كان الفحصان سلبيين."),
    ("Parity: 2; abortions: 1.", "عدد الولادات: 2، والإجهاضات: 1."),
)


@pytest.mark.parametrize(("source", "target"), RIGHT, ids=[source[:40] for source, _ in RIGHT])
def test_no_number_is_missed_in_a_right_pair(source, target):
    assert [f.message for f in run_checks(source, target, "text") if f.check == "numbers"] == []
