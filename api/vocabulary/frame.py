"""Words of the frame around every page, of the door, and of errors with what to do."""

FRAME = {
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

DOORS = {
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

ERRORS = {
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
        "这一步要由另外的人来做，比如签约医生、家人或本人。有疑问请问医生。",
        "It is for somebody else to do: the doctor, the family, or the person whose it is. Ask the "
        "doctor if in doubt.",
    ),
    "error_not_from_here": (
        "这个操作没有被接受",
        "This was not accepted",
    ),
    "error_not_from_here_do": (
        "页面可能打开太久了。请回到您的页面，再按一次。",
        "The page may have been open for too long. Go back to your page and press again.",
    ),
    "error_code": ("这个代码不能用", "This code does not work"),
    "error_code_do": (
        "代码可能输错、已经用过或超过一小时。请在网页上重新生成一个。",
        "It may be mistyped, used already or older than an hour. Let the page make another.",
    ),
    "error_gateway": ("服务器不认识这个网关", "The server does not know this gateway"),
    "error_gateway_do": (
        "它可能已被停用，或者时钟不准。请检查时钟；还是不行，就用新的代码重新登记。",
        "It may have been shut out, or a clock is wrong. Check the clock; if that does not help, "
        "set it up anew with a new code.",
    ),
    "error_name_taken": ("网关不能用这个名字", "The gateway cannot have this name"),
    "error_name_taken_do": (
        "已经有同名的网关，或者名字里有不能用的字符。请换一个名字：a-z、0-9、- 和 _。",
        "There is one of that name, or it holds a letter that cannot be used. Choose another name "
        "of a-z, 0-9, - and _.",
    ),
    "error_no_authority": (
        "这台服务器还不能登记网关",
        "This server cannot set gateways up yet",
    ),
    "error_no_authority_do": (
        "请让管理服务器的人按 docs/gateway.md 打开这个功能。",
        "Ask whoever runs it to switch this on as docs/gateway.md says.",
    ),
    "error_choose": ("这个浏览器里登录了几个人", "Several people are signed in here"),
    "error_choose_do": (
        "请在地址后加上 ?as=patient、?as=family 或 ?as=doctor。",
        "Add ?as=patient, ?as=family or ?as=doctor to the address.",
    ),
    "error_busy": (
        "网关正在给别人添加设备",
        "The gateway is adding a device for somebody else",
    ),
    "error_busy_do": ("请等对方做完再试。", "Wait until they are done, then try again."),
    "error_too_often": ("请求太频繁了", "That was too often"),
    "error_too_often_do": ("请等一分钟再试。", "Wait a minute, then try again."),
    "error_somebody_elses": (
        "这个设备是家里另一位的",
        "This device is somebody else's in this home",
    ),
    "error_somebody_elses_do": (
        "请说明它的读数以后算在谁名下。",
        "Say whose its readings are to be from now on.",
    ),
    "error_another_homes": (
        "这个设备属于另一家人",
        "This device belongs to another home",
    ),
    "error_another_homes_do": ("请先在那边移除它。", "Remove it there first."),
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
