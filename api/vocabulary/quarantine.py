"""Words of readings that nobody believes, and of what a person decides about them."""

QUARANTINE = {
    "quarantine_title": ("需要确认的测量", "Readings to be confirmed"),
    "quarantine_intro": (
        "这些测量不像真的，先放在这里：不计入任何统计，也不会引起提醒。请您说一声是不是真的。"
        "如果本人不舒服，请先重新量一次；情况危险请马上打 120。",
        "These readings do not look real and wait here: they count for nothing and raise no alert. "
        "Please say whether they are real. If the person feels unwell, measure again first; in "
        "danger call 120 at once.",
    ),
    "quarantine_empty": ("没有需要确认的测量。", "No reading waits to be confirmed."),
    "quarantine_more": (
        "还有更早的，确认完上面的就会显示。",
        "There are older ones; they appear once those above are settled.",
    ),
    "quarantine_badge": ("{n} 次测量不像真的", "{n} readings do not look real"),
    "quarantine_badge_one": ("1 次测量不像真的", "1 reading does not look real"),
    "quarantine_badge_do": ("去确认", "Look at them"),
    "quarantine_nobody": ("还不知道是谁的", "not known whose it is"),
    "quarantine_received": ("{when} 收到", "received {when}"),
    "quarantine_head_value": ("{what} 不像真的", "{what} does not look real"),
    "quarantine_head_time": ("{what}，时间不对", "{what}, at a time that cannot be"),
    "quarantine_why_implausible": (
        "设备正常的话，很少会量出这样的数。",
        "A working device hardly ever shows such a number.",
    ),
    "quarantine_why_pressure_pair": (
        "高压和低压离得太近，或者颠倒了。可能袖带没绑好。",
        "The upper and the lower pressure are too close together, or the wrong way round. The cuff "
        "may not have been in place.",
    ),
    "quarantine_why_future": (
        "设备记录的时间还没有到：{when}。确认后按收到的时间记录。",
        "The device says it was at a time that has not come: {when}. Confirmed, it is kept with "
        "the time of receipt.",
    ),
    "quarantine_why_before_clocks": (
        "设备记录的时间太早：{when}，多半是设备的时钟没有设好。确认后按收到的时间记录。",
        "The device says it was long ago: {when}; its clock was probably never set. Confirmed, it "
        "is kept with the time of receipt.",
    ),
    "quarantine_release": ("是真的，记下来", "It is real: keep it"),
    "quarantine_discard": ("不是真的，不要", "Not real: discard it"),
    "quarantine_does": (
        "记下以后就和别的测量一样，该提醒就会提醒，不能撤销。",
        "Once kept it is a reading like any other and may raise an alert; this cannot be undone.",
    ),
    "quarantine_recent": ("刚刚确认的", "Settled just now"),
    "quarantine_said_release": (
        "{name} {when} 的测量：是真的（{by}，{age}）",
        "{name}, {when}: real ({by}, {age})",
    ),
    "quarantine_said_discard": (
        "{name} {when} 的测量：不是真的（{by}，{age}）",
        "{name}, {when}: not real ({by}, {age})",
    ),
    "quarantine_at_server": ("服务器管理员", "whoever runs the server"),
    "quarantine_on_its_way": ("正在记入", "being stored"),
    "quarantine_after_all": ("还是真的", "It is real after all"),
    "quarantine_told_release": (
        "好的，正在记入，很快就会和别的测量一起显示。",
        "Done: it is being stored and soon stands among the others.",
    ),
    "quarantine_told_discard": (
        "好的，不计入。原来的数据仍然保留。",
        "Done: it counts for nothing. What was measured is kept all the same.",
    ),
    "quarantine_told_late": (
        "已经有人先确认了这一次，以先确认的为准。",
        "Somebody was quicker with this one; what they said stands.",
    ),
}
