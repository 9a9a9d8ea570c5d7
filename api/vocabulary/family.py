"""Words of the family's page."""

FAMILY = {
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
    "heard": ("{age}有消息", "last heard {age}"),
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
