"""Words of the page of the person who is measured."""

PATIENT = {
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
    "other_notices": ("其他提示", "Other notices"),
    "times": ("{done}/{n} 次", "{done} of {n}"),
    "task_done": ("已完成", "Done"),
    "task_part": ("还差一次", "Not complete"),
    "task_due": ("现在测", "Now"),
    "task_later": ("待测", "Later"),
    "task_missed": ("没有测", "Missed"),
}
