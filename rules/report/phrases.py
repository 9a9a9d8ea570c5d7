"""The fixed words of a report, as tables: states, questions, reasons, the method.

May hold: words. May not: numbers of a week, the choice of what is said (`sections.py`).
"""

from rules.alert import State
from rules.report.week import Missing
from rules.words import Said

SEX = {"female": Said(zh="女", en="female"), "male": Said(zh="男", en="male")}

SESSION = {
    "bp": Said(zh="血压", en="blood pressure"),
    "glucose": Said(zh="血糖", en="glucose"),
    "weight": Said(zh="体重", en="weight"),
}

STATE = {
    State.OPEN.value: Said(zh="未处理", en="open"),
    State.ACKNOWLEDGED.value: Said(zh="已接手", en="taken on"),
    State.CLOSED.value: Said(zh="已结束", en="over"),
}

# a finding of data that came too late to wake anybody
NO_ALERT = Said(zh="未发出提醒", en="no alert was raised")

CLOSED = {
    "recovered": Said(zh="已恢复", en="recovered"),
    "stale": Said(zh="之后没有新的测量", en="no newer measurement since"),
    "withdrawn": Said(zh="后来的数据未证实", en="not confirmed by later data"),
}

# The question that a rule puts to the doctor, by the beginning of the rule's name.
QUESTION: tuple[tuple[str, Said], ...] = (
    (
        "glu.hypo",
        Said(
            zh="是否当日联系，核对饮食、运动与用药？",
            en="Contact today, and review food, exercise and medication?",
        ),
    ),
    (
        "glu.hyper",
        Said(
            zh="是否联系，了解诱因（感染、漏服、饮食）？",
            en="Contact to look for a cause (infection, missed doses, food)?",
        ),
    ),
    (
        "glu.",
        Said(zh="是否复诊或调整监测计划？", en="Earlier visit, or another measuring plan?"),
    ),
    (
        "bp.severe",
        Said(
            zh="是否当日联系，核实测量与症状？",
            en="Contact today: measurement and symptoms confirmed?",
        ),
    ),
    ("bp.ihb", Said(zh="是否安排心电图？", en="Arrange an ECG?")),
    (
        "bp.low",
        Said(
            zh="是否了解头晕、跌倒与用药？",
            en="Ask about dizziness, falls and medication?",
        ),
    ),
    (
        "bp.",
        Said(
            zh="是否复诊、核对用药或安排7天规范测量？",
            en="Earlier visit, medication review, or a 7-day measuring block?",
        ),
    ),
    (
        "",
        Said(
            zh="是否请家属查看设备与网关？",
            en="Ask the family to check device and gateway?",
        ),
    ),
)

REASON = {
    Missing.NOT_MEASURED: Said(zh="没有测量", en="not measured"),
    Missing.NOT_RECEIVED: Said(
        zh="没有收到（家里的网关没有消息）", en="not received (the gateway at home was silent)"
    ),
    Missing.REJECTED: Said(
        zh="收到但被拒收（原因已保存）", en="received and refused (reasons are kept)"
    ),
}

NO_MEDICATION = Said(
    zh="服药与续方：没有服药记录，因此不计算。",
    en="Medication and refills: no record of doses, so nothing is computed.",
)

# What the device or the server doubted, by field of `Quality`.
DOUBTED = {
    "suspect": Said(
        zh="个读数被设备标为可疑，未计入均值与提醒",
        en="reading(s) doubted by the device, left out of means and alerts",
    ),
    "unsure": Said(
        zh="个读数时间不确定，未计入均值",
        en="reading(s) with a guessed time, left out of means",
    ),
    "rejected": Said(
        zh="个数值被拒收，原因已保存",
        en="value(s) refused, each kept with its reasons",
    ),
}

METHOD_PRESSURE = Said(
    zh="血压均值为全部可信读数的平均（国家基层高血压防治管理指南2025：5–7天，至少3天12次为有效，"
    "不去除首日；6–11次为初步，少于6次为数据不足）。家庭参考线 135/85 mmHg。"
    "控制率按次计算（读数间隔不超过10分钟算一次）。",
    en="Mean blood pressure is over all trusted readings (Chinese primary-care guideline 2025: "
    "5-7 days, valid from 3 days and 12 readings, no day dropped; 6-11 readings are "
    "preliminary, fewer insufficient). Home line 135/85 mmHg. The control rate counts "
    "sittings (readings at most 10 minutes apart).",
)

METHOD_STICKS = Said(
    zh="指尖血糖目标：餐前 4.4–7.0，其余 3.9–<10.0 mmol/L（80–126、70–<180 mg/dL），"
    "按测量时的单位比较；达标区间为 Wilson 95%。不由指尖血计算 GMI 或 TIR。",
    en="Finger-stick targets 4.4-7.0 before meals, else 3.9 to below 10.0 "
    "mmol/L (80-126, 70 to below 180 mg/dL), compared in the unit measured; intervals are "
    "Wilson 95 %. No GMI or TIR from finger-sticks.",
)

METHOD_SENSOR = Said(
    zh="动态血糖按最近14天计算：范围内 3.9–10.0，低 <3.9、很低 <3.0，高 >10.0、很高 >13.9 "
    "mmol/L（70–180、54、250 mg/dL）；GMI = 3.31 + 0.02392 × 均值（mg/dL），14天数据达70%"
    "才给出，不是糖化血红蛋白；事件：持续15分钟以上，恢复15分钟结束（国际共识2019、ATTD 2017）"
    "。目标适用于多数成人，以医生设定为准。",
    en="Sensor glucose is over the last 14 days: in range 3.9-10.0, low <3.9, very low <3.0, "
    "high >10.0, very high >13.9 mmol/L (70-180, 54, 250 mg/dL); GMI = 3.31 + 0.02392 x mean "
    "(mg/dL), from 70 % of 14 days, and no HbA1c; an episode lasts from 15 minutes beyond to "
    "15 minutes back (consensus 2019, ATTD 2017). Targets are those of most adults; the "
    "doctor's own go before them.",
)

METHOD_ALWAYS = Said(
    zh="本报告由程序按公开指南汇总，不作诊断或用药依据；规则待临床医生签审。数据可能延迟或缺失，"
    "不用于急救，非实时监护。如有胸痛、呼吸困难、意识不清、肢体无力等请立即拨打120。",
    en="This report is a summary made by software from published guidelines; it is no basis "
    "for a diagnosis or for medication, and its rules await a clinician's sign-off. Data may "
    "be late or lost: not for emergencies, not monitored in real time. With chest pain, "
    "trouble breathing, confusion or weakness call 120.",
)
