"""Words of readings that wait for a name, and of who uses a shared device."""

INBOX = {
    "inbox_link": ("待认领的测量", "Readings without a name"),
    "inbox_title": ("等待认领的测量", "Readings that wait for a name"),
    "inbox_intro": (
        "这些测量来自家里共用的设备，还不知道是谁的。选好人以前，它们不算任何人的，也不会引起提示。",
        "These readings come from shared devices at home, and nobody is known yet. Until a person "
        "is chosen they count for nobody and raise no alert.",
    ),
    "inbox_intro_self": (
        "这些测量来自家里共用的设备。是您量的，请按「是我量的」；不是您量的，不用按。",
        "These readings come from shared devices at home. If one is yours, press “It is mine”; "
        "if not, leave it.",
    ),
    "inbox_empty": ("没有等待认领的测量。", "No reading waits for a name."),
    "inbox_more": (
        "还有更早的，认领完上面的就会显示。",
        "There are older ones; they appear once those above have a name.",
    ),
    "inbox_badge": ("{n} 次测量还不知道是谁的", "{n} readings wait for a name"),
    "inbox_badge_one": ("1 次测量还不知道是谁的", "1 reading waits for a name"),
    "inbox_badge_do": ("去认领", "Say whose they are"),
    "inbox_user": ("用户号 {user}", "user {user}"),
    "inbox_no_user": ("没有用户号", "no user number"),
    "inbox_device": ("设备", "Device"),
    "inbox_likely": ("很可能是{name}的", "Most likely {name}’s"),
    "inbox_not_sure": ("还说不准是谁的", "Not sure whose it is"),
    "inbox_guest_likely": (
        "和家里人平时的数值都不太像",
        "It is like nobody’s usual values at home",
    ),
    "inbox_unseen_likely": (
        "更像家里另一位的，那一位不在您照看的人里",
        "It is more like somebody else’s at home, whom you do not look after",
    ),
    "inbox_why_hour_value": (
        "{name}通常{hour}量，{kind}约 {value}",
        "{name} usually measures {hour}, {kind} about {value}",
    ),
    "inbox_why_hour": ("{name}通常{hour}量", "{name} usually measures {hour}"),
    "inbox_why_value": (
        "{name}的{kind}通常约 {value}",
        "{name}’s {kind} is usually about {value}",
    ),
    "inbox_why_uses": (
        "最近这样量的多半是{name}",
        "Most of the last readings like this were {name}’s",
    ),
    "inbox_why_only": (
        "家里人里，最可能的是{name}",
        "Of those at home, {name} is the most likely",
    ),
    "inbox_give": ("是{name}的", "It is {name}’s"),
    "inbox_give_self": ("是我量的", "It is mine"),
    "inbox_other": ("是别人的？", "Somebody else’s?"),
    "inbox_aside": ("是客人量的，不用留给谁", "It was a guest’s"),
    "inbox_number": ("以后用户号 {user} 都是同一个人？", "Is user {user} always the same person?"),
    "inbox_number_give": (
        "以后用户号 {user} 都是{name}的",
        "From now on user {user} is {name}",
    ),
    "inbox_number_self": ("以后用户号 {user} 都是我", "From now on user {user} is me"),
    "inbox_number_does": (
        "这个用户号正在等待的测量也会一起给这个人。",
        "What waits from this number goes to that person as well.",
    ),
    "inbox_users_link": ("谁在用这个设备", "Who uses this device"),
    "inbox_recent": ("刚刚认领的", "Named just now"),
    "inbox_recent_hint": (
        "弄错了可以在 24 小时内撤销，测量会回到等待的地方。",
        "A mistake can be undone within 24 hours; the reading then waits again.",
    ),
    "inbox_said_give": (
        "{when} 的测量 → {name}（{by}，{age}）",
        "Reading of {when} → {name} ({by}, {age})",
    ),
    "inbox_said_number": (
        "用户号 {user} 以后都是{name}的（{by}，{age}）",
        "User {user} is {name} from now on ({by}, {age})",
    ),
    "inbox_said_aside": (
        "{when} 的测量是客人的（{by}，{age}）",
        "The reading of {when} was a guest’s ({by}, {age})",
    ),
    "inbox_said_release": (
        "{when} 的测量不是{name}的（{by}，{age}）",
        "The reading of {when} is not {name}’s ({by}, {age})",
    ),
    "inbox_undo": ("撤销", "Undo"),
    "inbox_told_done": ("已经记下。", "Done."),
    "inbox_told_undone": ("已经撤销。", "Undone."),
    "inbox_told_late": (
        "已经有人先处理了这一次，以先处理的为准。",
        "Somebody was quicker with this one; what they said stands.",
    ),
    "inbox_back": ("回到等待认领的测量", "Back to the readings that wait"),
}

USERS = {
    "users_title": ("谁在用这个设备", "Who uses this device"),
    "users_explain": (
        "很多血压计和体重秤有用户按钮（常见 1、2 或 A、B）。量以前先选自己的号，读数就带着这个号，"
        "康伴就知道是谁量的。设备里的编号可能从 0 开始，看最近的数值就能认出是谁。",
        "Many cuffs and scales have a user button (1 and 2, or A and B). Choose your own number "
        "before measuring: the reading then carries it, and Kangban knows whose it is. Inside the "
        "device numbers may begin at 0; the last values tell who it is.",
    ),
    "users_without": ("没有用户号的测量", "Readings without a user number"),
    "users_without_hint": (
        "如果只有一个人用，就选这个人；几个人一起用，就每次问。",
        "If one person alone uses it, choose that person; if several do, it asks each time.",
    ),
    "users_one": ("只有{name}用", "Only {name} uses it"),
    "users_several": ("我们几个人一起用，每次问", "Several of us use it: ask each time"),
    "users_nobody": ("还没有定，每次问", "Nobody yet: ask each time"),
    "users_somebody_else": ("家里另一位", "Somebody else at home"),
    "users_number": ("用户号 {user}", "User {user}"),
    "users_last": ("最近：{text} {unit}，{when}", "Last: {text} {unit}, {when}"),
    "users_last_hidden": ("最近一次：{when}", "Last reading: {when}"),
    "users_never": ("还没有测量", "No reading yet"),
    "users_waiting": ("{n} 次等待认领", "{n} wait for a name"),
    "users_save": ("保存", "Save"),
    "users_saved": ("已经保存。", "Saved."),
    "users_does": (
        "选了人以后，这个用户号正在等待的测量会一起给这个人；以前已经有名字的不变。",
        "Once a person is chosen, what waits from that number goes to them; what had a name "
        "keeps it.",
    ),
}
