"""The words of the pages, Chinese and English, in one table.

What a rule, a report or a plan says comes with its own words; here stands only what the pages add.
Wording follows clinical reference §7: sums up, points out, suggests asking the doctor; never
diagnoses, never advises a drug. May hold: the table and its look-up. May not: numbers' formatting.
"""

from api.moment import is_chinese

# the first is the default
LOCALES = ("zh-CN", "en")


def say(key: str, locale: str, **parts: object) -> str:
    """The words of a key in a language, with the parts put in."""
    zh, en = WORDS[key]
    text = zh if is_chinese(locale) else en
    return text.format(**parts) if parts else text


_FRAME = {
    "brand": ("康伴", "Kangban"),
    "skip": ("跳到正文", "Skip to the content"),
    "leave": ("退出", "Sign out"),
    "offline": (
        "连接中断，页面上的数字可能不是最新的。正在重新连接……",
        "The connection is lost; what you see may be out of date. Trying again…",
    ),
    "disclaimer": (
        "不用于急救，不是实时监护，消息可能延迟或丢失。本页提示不是诊断；如有胸痛、呼吸困难、"
        "意识不清、肢体无力等，请立即拨打 120。",
        "Not for emergencies; not monitored in real time; may be delayed or lost. Nothing here is "
        "a diagnosis: with chest pain, trouble breathing, confusion or weak limbs call 120 now.",
    ),
    "text_larger": ("字大一点", "Larger text"),
    "text_smaller": ("恢复字号", "Normal text"),
}

_DOORS = {
    "enter_title": ("进入康伴", "Come in"),
    "enter_text": ("按下面的按钮进入您的页面。", "Press the button to open your page."),
    "enter_button": ("进入", "Come in"),
    "enter_once": (
        "这个链接只能用一次，请不要转发给别人。",
        "This link works once; please do not pass it on.",
    ),
    "enter_used": ("这个链接已经用过或已过期", "This link has been used or has expired"),
    "enter_broken": ("这个链接不完整", "This link is not complete"),
    "enter_ask": (
        "请向给您链接的人再要一个新的链接，然后打开它。",
        "Ask whoever sent you the link for a new one, then open it.",
    ),
    "welcome_title": ("请用您自己的链接进入", "Please come in by your own link"),
    "welcome_text": (
        "这里的页面只给本人、家人和签约医生看。",
        "These pages are for the person, the family and the doctor alone.",
    ),
    "welcome_several": (
        "这个浏览器里登录了几个人，请选择要看的页面。",
        "Several people are signed in in this browser: choose a page.",
    ),
    "role_patient": ("我的健康", "My health"),
    "role_family": ("家人", "Family"),
    "role_doctor": ("医生", "Doctor"),
}

_ERRORS = {
    "error_back": ("回到我的页面", "Back to my page"),
    "error_come_in": ("您还没有登录", "You are not signed in"),
    "error_come_in_do": (
        "请打开您自己的链接；没有链接请向医生或家人要一个。",
        "Open your own link; if you have none, ask your doctor or family for one.",
    ),
    "error_unknown": ("这里没有这一页", "There is no such page"),
    "error_unknown_do": (
        "可能地址不对，或者这不是您能看的内容。请回到您自己的页面。",
        "The address may be wrong, or it is not yours to see. Go back to your own page.",
    ),
    "error_not_allowed": ("您不能做这一步", "You may not do this"),
    "error_not_allowed_do": (
        "这一步只有签约医生可以做；有疑问请联系医生。",
        "Only the contracted doctor may do this; ask the doctor if in doubt.",
    ),
    "error_not_from_here": (
        "这个操作没有被接受",
        "This was not accepted",
    ),
    "error_not_from_here_do": (
        "页面可能打开太久了。请回到您的页面，再按一次。",
        "The page may have been open for too long. Go back to your page and press again.",
    ),
    "error_choose": ("这个浏览器里登录了几个人", "Several people are signed in here"),
    "error_choose_do": (
        "请在地址后加上 ?as=patient、?as=family 或 ?as=doctor。",
        "Add ?as=patient, ?as=family or ?as=doctor to the address.",
    ),
    "error_too_late": ("已经有人处理过了", "Somebody has dealt with this already"),
    "error_too_late_do": ("请刷新页面看看结果。", "Reload the page to see the outcome."),
    "error_week_open": ("这一周还没有结束", "This week is not over yet"),
    "error_week_open_do": (
        "周报在下周一以后签字，现在可以先看到目前为止的数字。",
        "A report is signed from the following Monday on; until then it shows the week so far.",
    ),
    "error_mend_data": ("填写的内容不对", "Something in this request is wrong"),
    "error_mend_data_do": (
        "请回到页面检查后再试。",
        "Go back, check what was entered and try again.",
    ),
    "error_mend_device": ("设备没有回应", "A device does not answer"),
    "error_mend_device_do": (
        "请检查设备的电池和距离，然后再试。",
        "Check its battery and distance, then try again.",
    ),
    "error_mend_settings": ("服务器的设置有问题", "The server is not set up correctly"),
    "error_mend_settings_do": (
        "请告诉管理这台服务器的人。",
        "Please tell whoever runs this server.",
    ),
    "error_try_again": ("服务器暂时没有回应", "The server does not answer just now"),
    "error_try_again_do": (
        "请过一会儿再试；数据没有丢。",
        "Try again in a moment; no data are lost.",
    ),
    "error_broken": ("出了点问题", "Something went wrong"),
    "error_broken_do": (
        "请再试一次；如果还不行，请告诉管理这台服务器的人。",
        "Try once more; if it stays, tell whoever runs this server.",
    ),
}

_KINDS = {
    "kind_blood_pressure": ("血压", "Blood pressure"),
    "kind_glucose": ("血糖", "Glucose"),
    "kind_ketone": ("血酮", "Ketone"),
    "kind_pulse": ("脉搏", "Pulse"),
    "kind_heart_rate": ("心率", "Heart rate"),
    "kind_spo2": ("血氧", "SpO2"),
    "kind_weight": ("体重", "Weight"),
    "kind_body_temperature": ("体温", "Temperature"),
    "kind_steps": ("步数", "Steps"),
    "kind_sleep_duration": ("睡眠", "Sleep"),
    "per_minute": ("次/分", "/min"),
    "meal_preprandial": ("餐前", "before a meal"),
    "meal_postprandial": ("餐后", "after a meal"),
    "meal_fasting": ("空腹", "fasting"),
    "meal_casual": ("随机", "at any time"),
    "meal_bedtime": ("睡前", "at bedtime"),
    "glance_in_range": ("在参考范围", "Within reference"),
    "glance_high": ("偏高", "High"),
    "glance_low": ("偏低", "Low"),
    "glance_very_high": ("很高", "Very high"),
    "glance_very_low": ("很低", "Very low"),
    "glance_old": ("较早的数值", "Not recent"),
    "glance_kept": ("已记录", "Recorded"),
    "glance_doubted": ("请再测一次", "Please measure again"),
    "clock_unsure": ("测量时间不确定", "The time of measuring is not certain"),
    "flag_irregular_pulse": ("血压计提示脉搏不齐", "The cuff noted an irregular pulse"),
    "flag_body_movement": ("测量时身体在动", "The body moved while measuring"),
    "flag_cuff_loose": ("袖带太松", "The cuff was loose"),
    "flag_improper_position": ("测量姿势不对", "The arm was not in position"),
    "flag_pulse_too_high": ("脉搏超出量程", "The pulse was above the device's range"),
    "flag_pulse_too_low": ("脉搏低于量程", "The pulse was below the device's range"),
    "flag_battery_low": ("设备电量低", "The device's battery is low"),
    "flag_sensor_fault": ("传感器故障", "The sensor reported a fault"),
    "flag_sample_too_small": ("血样不足", "The drop of blood was too small"),
    "flag_strip_error": ("试纸有问题", "There was a problem with the strip"),
    "flag_result_too_high": ("结果超出量程", "The result was above the device's range"),
    "flag_result_too_low": ("结果低于量程", "The result was below the device's range"),
    "flag_temperature_too_high": ("测量时环境太热", "It was too warm for the device"),
    "flag_temperature_too_low": ("测量时环境太冷", "It was too cold for the device"),
    "flag_read_interrupted": ("测量中断", "The measurement was interrupted"),
    "flag_device_fault": ("设备故障", "The device reported a fault"),
    "flag_time_fault": ("设备时间有误", "The device's clock is wrong"),
    "flag_no_skin_contact": ("没有贴紧皮肤", "No contact with the skin"),
    "device_glucose_meter": ("血糖仪", "Glucose meter"),
    "device_blood_pressure_cuff": ("血压计", "Blood-pressure cuff"),
    "device_wristband": ("手环", "Wristband"),
}

_PATIENT = {
    "patient_title": ("我的健康", "My health"),
    "patient_hello": ("{name}，您好", "Hello, {name}"),
    "alert": ("提示", "Notice"),
    "today_state": ("今天的情况", "How things stand today"),
    "call_120": ("拨打 120", "Call 120"),
    "patient_why_well": ("目前没有需要注意的", "Nothing needs attention now"),
    "patient_why_alert": ("有需要注意的", "Something needs attention"),
    "patient_why_grave": ("请马上联系医生或家人", "Please call your doctor or family now"),
    "patient_why_value": (
        "最近一次的数值超出范围较多，请休息几分钟再测一次",
        "Your last value is far outside the range: rest a few minutes and measure again",
    ),
    "patient_why_broken": (
        "数据暂时没有传上来，请看看家里的网关和设备",
        "Readings are not arriving: please look at the gateway and devices at home",
    ),
    "patient_why_no_data": ("还没有收到测量", "No reading has arrived yet"),
    "patient_why_old": (
        "最近两天没有新的测量",
        "There has been no new reading in the last two days",
    ),
    "newest_at": ("最近一次测量：{when}", "Last reading: {when}"),
    "next_step": ("下一步", "Next step"),
    "nothing_more_today": (
        "今天的都安排完了，好好休息。",
        "Nothing more is planned for today. Have a good rest.",
    ),
    "latest_values": ("最近的数值", "Latest values"),
    "no_values_patient": (
        "还没有数值。用您的血压计或血糖仪测一次，过一会儿这里就会显示。",
        "No values yet. Measure once with your cuff or meter; it will show here soon after.",
    ),
    "tasks_today": ("今天的安排", "Planned for today"),
    "no_tasks": ("今天没有安排测量。", "No measuring is planned for today."),
    "plan_changed": ("测量安排有变化", "Your schedule has changed"),
    "plan_undo": ("恢复原来的安排", "Back to the schedule before"),
    "times": ("{done}/{n} 次", "{done} of {n}"),
    "task_done": ("已完成", "Done"),
    "task_part": ("还差一次", "Not complete"),
    "task_due": ("现在测", "Now"),
    "task_later": ("待测", "Later"),
    "task_missed": ("没有测", "Missed"),
}

_FAMILY = {
    "family_title": ("家人的情况", "How your family is"),
    "family_at": ("更新于 {when}", "As of {when}"),
    "family_nobody": ("还没有和您关联的家人。", "Nobody is connected with you yet."),
    "state_well": ("安好", "Well"),
    "state_look": ("留意", "Look in"),
    "state_call": ("请打电话", "Call"),
    "state_none": ("情况不明", "Not known"),
    "family_why_well": (
        "最近有测量，没有需要注意的提示。",
        "Readings are recent and nothing needs attention.",
    ),
    "family_why_alert": (
        "有需要留意的提示，请看下面。",
        "There is something to look into; see below.",
    ),
    "family_why_grave": (
        "有紧急的提示还没有人处理，请现在打电话问问。",
        "A grave alert is open and nobody has taken it: please call now.",
    ),
    "family_why_value": (
        "最近的数值超出范围较多，请问问情况。",
        "The last value is far outside the range; please ask how they are.",
    ),
    "family_why_broken": (
        "数据的线路断了，现在的情况不清楚。请看下面哪一环断了。",
        "The line is broken, so how things are now is not known. See below which hop it is.",
    ),
    "family_why_no_data": ("还没有收到过测量。", "No reading has ever arrived."),
    "family_why_old": (
        "最近两天没有新的测量，现在的情况不清楚。",
        "No reading in the last two days, so how things are now is not known.",
    ),
    "last_reading": ("最近一次测量：{when}（{age}）", "Last reading: {when} ({age})"),
    "no_reading_yet": ("还没有测量", "No reading yet"),
    "alerts": ("提示", "Alerts"),
    "no_alerts": ("最近七天没有提示。", "No alerts in the last seven days."),
    "acknowledge": ("我来负责", "I will take care of it"),
    "acknowledged_by": ("{who} 已接手（{when}）", "{who} has taken it ({when})"),
    "closed_at": ("已结束（{when}）", "Over since {when}"),
    "no_values_family": (
        "还没有数值：还没有测量，或者还没有收到。",
        "No values yet: not measured, or not received.",
    ),
    "chain": ("数据线路", "The line"),
    "hop_device": ("设备", "Device"),
    "hop_gateway": ("家里的网关", "Gateway"),
    "hop_network": ("网络", "Network"),
    "hop_server": ("服务器", "Server"),
    "hop_works": ("正常", "Working"),
    "hop_silent": ("没有消息", "Silent"),
    "hop_unknown": ("暂时不知道", "Not known now"),
    "hop_absent": ("没有登记", "None registered"),
    "hop_battery": ("电量低", "Battery low"),
    "do_device": (
        "请提醒测一次；还是没有，就换电池，并在网关附近测。",
        "Ask for a measurement; if none comes, change the battery and measure near the gateway.",
    ),
    "do_battery": ("请给这个设备换电池。", "Change this device's battery."),
    "do_gateway": (
        "请看看网关的电源灯亮不亮，拔下插头等十秒再插上。",
        "Look whether the gateway's light is on; unplug it, wait ten seconds, plug it in again.",
    ),
    "do_network": (
        "请看看家里能不能上网，必要时重启路由器。测过的数据会自动补传。",
        "Look whether the internet works at home; restart the router if not. What was measured "
        "will be sent later by itself.",
    ),
    "do_server": (
        "家里不用做什么；恢复后数据会自动补传。",
        "Nothing to do at home; readings will be sent by themselves once it is back.",
    ),
    "seen": ("出现于 {when}", "seen {when}"),
    "battery": ("电量 {percent}%", "battery {percent}%"),
    "battery_low": ("请换电池", "change it soon"),
    "last_week": ("最近七天", "The last seven days"),
    "no_week": ("这七天没有测量或没有收到。", "Nothing was measured or received in these days."),
    "chart_n": ("{n} 次", "{n} readings"),
    "chart_key_kind_blood_pressure": (
        "实线圆点：收缩压；虚线方点：舒张压；点线：家庭血压参考线 135/85；×：没有测量",
        "Solid, round: systolic; dashed, square: diastolic; dotted: home reference 135/85; "
        "×: not measured",
    ),
    "chart_key_kind_glucose": (
        "竖条：当天最低到最高；圆点：当天平均；底色：3.9–10.0 mmol/L（70–180 mg/dL）；×：没有测量",
        "Bar: lowest to highest of the day; dot: mean; shaded: 3.9–10.0 mmol/L (70–180 mg/dL); "
        "×: not measured",
    ),
    "chart_table": ("看数字", "Show the numbers"),
    "day": ("日期", "Day"),
    "count": ("次数", "Readings"),
    "not_measured": ("没有测量", "not measured"),
}

_DOCTOR = {
    "doctor_title": ("我的患者", "My patients"),
    "panel_count": ("共 {n} 位，按需要排列", "{n} in all, in the order of need"),
    "panel_sums": ("各组人数", "How many in each group"),
    "panel_caption": (
        "患者，按需要排列；数字是最近七天的",
        "Patients in the order of need; numbers are of the last seven days",
    ),
    "panel_nobody": ("还没有和您签约的患者。", "No patient is contracted with you yet."),
    "find": ("按姓名查找", "Find by name"),
    "find_button": ("查找", "Find"),
    "find_nobody": ("没有这个名字的患者。", "No patient of that name."),
    "col_patient": ("患者", "Patient"),
    "col_reason": ("原因", "Why"),
    "col_pressure": ("七天血压均值", "BP mean, 7 days"),
    "col_glucose": ("七天血糖", "Glucose, 7 days"),
    "col_last": ("最近测量", "Last reading"),
    "col_open": ("待处理", "To do"),
    "col_report": ("上周周报", "Last week's report"),
    "sex_female": ("女", "F"),
    "sex_male": ("男", "M"),
    "years": ("{n}岁", "{n}"),
    "n_readings": ("{n} 次", "{n} readings"),
    "n_alerts": ("{n} 条提示", "alerts: {n}"),
    "n_proposals": ("{n} 条建议", "proposals: {n}"),
    "change_up": ("较前周 +{n}", "+{n} on the week before"),
    "change_down": ("较前周 −{n}", "−{n} on the week before"),
    "change_none": ("较前周不变", "as the week before"),
    "low_days": ("{n} 天有低值", "lows on {n} d"),
    "high_days": ("{n} 天有高值", "highs on {n} d"),
    "report_to_sign": ("{week} 待签", "{week} to sign"),
    "report_signed": ("{week} 已签", "{week} signed"),
    "report_none": ("没有数据", "no data"),
    "back_to_list": ("回到列表", "Back to the list"),
    "weeks": ("选择周", "Choose a week"),
    "week_running": ("本周还没结束", "week so far"),
    "to_do": ("待处理", "To do"),
    "report_of": ("周报 {week}", "Report of {week}"),
    "proposals": ("计划调整建议", "Proposals"),
    "no_proposals": ("没有待定的建议。", "No proposal waits."),
    "accept": ("采纳", "Accept"),
    "refuse": ("不采纳", "Refuse"),
    "undo": ("撤销", "Undo"),
    "proposal_accepted": ("已采纳", "Accepted"),
    "proposal_refused": ("未采纳", "Refused"),
    "proposal_withdrawn": ("已撤回", "Withdrawn"),
    "signature": ("签字", "Signature"),
    "signed": ("已签字", "Signed"),
    "signed_archive": (
        "已按签字时的内容存档，之后不再改变。校验码",
        "Archived as it was when signed, and unchanged since. Digest",
    ),
    "sign_title": ("签字", "Sign"),
    "comment": ("意见", "Comment"),
    "comment_label": ("意见（可不填）", "Comment (optional)"),
    "sign": ("签字并存档", "Sign and archive"),
    "sign_meaning": (
        "签字表示您看过本周报。内容会按现在的样子存档。",
        "Signing says that you have read this report. It is archived as it stands now.",
    ),
}

WORDS: dict[str, tuple[str, str]] = {
    **_FRAME,
    **_DOORS,
    **_ERRORS,
    **_KINDS,
    **_PATIENT,
    **_FAMILY,
    **_DOCTOR,
}
