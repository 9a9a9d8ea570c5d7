"""Words of the pages on which devices are added and removed."""

DEVICES = {
    "devices_title": ("设备", "Devices"),
    "devices_of": ("{name}的设备", "Devices of {name}"),
    "home_links": ("家里的设备", "The devices at home"),
    "devices_link": ("设备", "Devices"),
    "devices_back": ("回到我的页面", "Back to my page"),
    "devices_to_list": ("回到设备列表", "Back to the devices"),
    "devices_none": (
        "还没有设备。按“添加设备”，把血压计、血糖仪等连上来。",
        "No device yet. Press “Add a device” to connect a cuff, a meter or another device.",
    ),
    "devices_add": ("添加设备", "Add a device"),
    "devices_add_with": ("用网关“{name}”添加设备", "Add a device with gateway “{name}”"),
    "devices_choose_gateway": (
        "家里有几个网关，请选离设备最近的那一个。",
        "There are several gateways: choose the one nearest to the device.",
    ),
    "devices_remove": ("移除这个设备", "Remove this device"),
    "devices_pair_again": ("重新配对", "Pair again"),
    "devices_users": ("设备上的用户分别是谁", "Who its users are"),
    "devices_gateway": ("网关：{name}", "Gateway: {name}"),
    "devices_no_gateway_has": ("没有网关在读它", "No gateway reads it"),
    "devices_seen": ("最近出现：{when}", "Last seen: {when}"),
    "devices_never_seen": ("还没有出现过", "Not seen yet"),
    "devices_battery": ("电量 {percent}%", "Battery {percent}%"),
    "devices_support": ("给技术人员看的说明", "For whoever helps with it"),
    "whose_shared": ("和{names}一起用", "Shared with {names}"),
    "whose_other": ("{names}的设备", "Belongs to {names}"),
    "whose_nobody": (
        "还没有说是谁的：它的读数暂时不算在任何人名下。",
        "Nobody's yet: its readings belong to no one for now.",
    ),
    "whose_somebody": ("家里另一位", "somebody else at home"),
    "no_gateway": ("家里还没有网关", "There is no gateway in this home yet"),
    "no_gateway_do": (
        "网关是家里的一个小盒子，用蓝牙读设备、再把读数传上来。请先装好网关，再添加设备。",
        "A gateway is a small box at home that reads devices over Bluetooth and sends the "
        "readings. Set one up first, then add devices.",
    ),
    "no_gateway_link": ("去装网关", "Set up a gateway"),
    "no_gateway_ask": (
        "怎么装，请问管理这台服务器的人。",
        "Ask whoever runs this server how to set one up.",
    ),
    "gateway_silent": (
        "网关“{name}”没有消息，现在多半添加不了。请看看它的电源和网络。",
        "Gateway “{name}” is silent, so adding will probably not work now. Look at its power "
        "and its network.",
    ),
    "gateway_busy": (
        "{who}正在用网关“{name}”添加设备（{age}开始）。一次只能添加一个，请等对方做完。",
        "{who} is adding a device with gateway “{name}” (since {age}). One at a time: please "
        "wait until they are done.",
    ),
    "gateway_busy_mine": (
        "您正在用网关“{name}”添加设备。",
        "You are adding a device with gateway “{name}”.",
    ),
    "gateway_busy_on": ("继续", "Go on"),
    "press_busy": (
        "别人正在用这个网关添加设备，请等一会儿。",
        "Somebody else is adding a device with this gateway; please wait a little.",
    ),
    "press_often": ("按得太快了，请等一分钟再试。", "That was too often. Wait a minute, then try."),
    "press_home": (
        "这个设备已经属于另一家人，请先在那边移除。",
        "This device belongs to another home. It must be removed there first.",
    ),
    "press_entry": (
        "填写的内容不对，请看着设备再填一次。",
        "That was not right. Look at the device and try once more.",
    ),
    "drawing_glucose_meter": ("血糖仪", "Glucose meter"),
    "drawing_cuff": ("血压计", "Blood-pressure cuff"),
    "drawing_scale": ("体重秤", "Scale"),
    "drawing_band": ("手环", "Wristband"),
    "drawing_ring": ("智能戒指", "Ring"),
    "drawing_oximeter": ("血氧仪", "Oximeter"),
    "drawing_thermometer": ("体温计", "Thermometer"),
    "drawing_cgm": ("持续血糖监测", "Glucose sensor"),
    "drawing_unknown": ("蓝牙设备", "Bluetooth device"),
    "trouble_failed": ("上一次没有读成", "It could not be read the last time"),
    "trouble_failed_do": (
        "请把它放在网关附近再测一次；还不行，就换电池。",
        "Measure once more near the gateway; if it still fails, change its battery.",
    ),
    "trouble_bond": (
        "它和网关的配对丢了",
        "Its pairing with the gateway is lost",
    ),
    "trouble_bond_do": (
        "请在设备上删除旧的配对，让它进入配对状态，再按“重新配对”。已有的读数不会丢，也不会重复。",
        "Delete the old pairing on the device, put it into pairing mode, then press “Pair again”. "
        "No reading is lost or doubled.",
    ),
    "trouble_never_seen": ("网关还没有见到它", "The gateway has not seen it yet"),
    "trouble_never_seen_do": (
        "请在网关附近用它测一次。",
        "Use it once near the gateway.",
    ),
    "trouble_battery": ("电量低", "Its battery is low"),
    "trouble_battery_do": ("请换电池。", "Change the battery."),
    "clock_right": ("时间准确", "Its clock is right"),
    "clock_off_minutes": ("时间差 {n} 分钟", "Its clock is off by {n} min"),
    "clock_off_hours": ("时间差约 {n} 小时", "Its clock is off by about {n} h"),
    "clock_off_days": ("时间差约 {n} 天", "Its clock is off by about {n} days"),
    "clock_corrected": (
        "读数的时间已经换算过。",
        "The times of its readings are corrected.",
    ),
}

ADDING = {
    "adding_title": ("添加设备", "Add a device"),
    "adding_for": ("给{name}添加", "For {name}"),
    "stage_searching": ("正在找设备……", "Looking for devices…"),
    "stage_searching_do": (
        "请把设备拿到网关附近，并让它进入配对状态（按住有蓝牙标志的键，或测一次）。",
        "Bring the device near the gateway and put it into pairing mode (hold the button with "
        "the Bluetooth sign, or measure once).",
    ),
    "stage_searched": ("找完了", "The search is over"),
    "stage_searched_do": (
        "请按要添加的设备；没有它，就再找一次。",
        "Press the device that you want to add; if it is not there, search again.",
    ),
    "stage_searched_none_do": (
        "没有找到设备。请换上新电池、拿到网关旁边、让它进入配对状态，再找一次。",
        "No device was found. Put in fresh batteries, bring it beside the gateway, put it into "
        "pairing mode and search again.",
    ),
    "stage_working": ("正在连接……", "Connecting…"),
    "stage_working_do": (
        "请让设备留在网关附近，不要关机。",
        "Keep the device near the gateway and switched on.",
    ),
    "stage_reading": ("连上了，正在读数据……", "Connected; reading…"),
    "stage_reading_do": (
        "请让设备留在网关附近，不要关机。存得多的设备要一两分钟。",
        "Keep the device near the gateway and switched on. A full memory takes a minute or two.",
    ),
    "stage_passkey": ("请输入设备上显示的数字", "Type the number that the device shows"),
    "stage_passkey_do": (
        "设备的屏幕上（有的印在背面）有六位数字。",
        "Its screen shows six digits; on some devices they are printed on the back.",
    ),
    "stage_confirm": ("数字一样吗？", "Is it the same number?"),
    "stage_confirm_do": (
        "请看设备的屏幕，是不是这个数字：",
        "Look at the screen of the device. Does it show this number?",
    ),
    "stage_stopping": ("正在停止……", "Stopping…"),
    "stage_stopping_do": ("请稍等。", "One moment."),
    "stage_done": ("添加好了", "The device is added"),
    "stage_done_do": (
        "以后照常测量就行，读数会自己传上来。",
        "Just measure as usual from now on; readings arrive by themselves.",
    ),
    "stage_stopped": ("已停止，没有添加", "Stopped; nothing was added"),
    "stage_stopped_do": ("可以再试一次，或回到列表。", "Try again, or go back to the list."),
    "stage_failed": ("没有添加成", "The device could not be added"),
    "silent_at_first": (
        "网关还没有回应。请看看它的电源灯和网络；它一有回应，这里就会继续。",
        "The gateway has not answered yet. Look at its light and its network; this goes on as "
        "soon as it answers.",
    ),
    "silent_since": (
        "网关有一会儿没有消息了。可以再等等；还是没有，就停下来再试一次。",
        "Nothing has been heard from the gateway for a while. Wait a little; if nothing comes, "
        "stop and try again.",
    ),
    "found_title": ("找到的设备", "Devices found"),
    "found_unusable": ("不能用的设备（{n}）", "Devices that cannot be used ({n})"),
    "found_unusable_why": (
        "这个设备的数据不开放，我们读不了。",
        "This device does not share its data, so it cannot be read.",
    ),
    "found_add": ("添加这个", "Add this one"),
    "signal_strong": ("就在旁边", "Very near"),
    "signal_fair": ("不远", "Near"),
    "signal_weak": ("信号弱，请拿近一点", "Weak signal: bring it nearer"),
    "signal_unknown": ("信号强弱不明", "Distance not known"),
    "steps_title": ("进度", "Progress"),
    "step_asked": ("网关收到了", "The gateway has heard"),
    "step_connecting": ("连上设备", "Connect to the device"),
    "step_bonded": ("配对", "Pair"),
    "step_clock": ("核对设备的时间", "Check its clock"),
    "step_history": ("读出存着的数据", "Read what it has stored"),
    "state_done": ("完成", "done"),
    "state_now": ("进行中", "now"),
    "state_later": ("待做", "to come"),
    "state_failed": ("没有成功", "failed"),
    "pairing_read": ("已读 {n} 条", "{n} read"),
    "passkey_label": ("设备上的数字", "Number on the device"),
    "passkey_send": ("确定", "Send"),
    "passkey_sent": ("已发给设备，请稍等。", "Sent to the device; one moment."),
    "confirm_yes": ("一样", "Yes, the same"),
    "confirm_no": ("不一样", "No, different"),
    "first_reading": ("读到的最新数据", "Its newest reading"),
    "no_reading_in_it": (
        "设备里没有存着的数据。测一次，就会传上来。",
        "It has no readings stored. Measure once and the reading will arrive.",
    ),
    "belongs_to": (
        "它的读数算在{name}名下。",
        "Its readings are {name}'s.",
    ),
    "belongs_to_other": (
        "它原来是谁的，读数还算在谁名下。",
        "Its readings stay with whoever had it before.",
    ),
    "device_for_several": (
        "这个设备可以几个人用，各有各的用户号。",
        "Several people can use this device, each under a user number of their own.",
    ),
    "whose_question": ("这个设备是谁的？", "Whose device is this?"),
    "whose_question_do": (
        "现在它的读数算在{who}名下。",
        "Its readings are {who}'s now.",
    ),
    "whose_mine": ("以后算在{name}名下", "From now on they are {name}'s"),
    "whose_theirs": ("不改，只重新连接", "Leave that; only connect it again"),
    "whose_neither": ("先不添加", "Do not add it"),
    "do_stop": ("停止", "Stop"),
    "do_again": ("再试一次", "Try again"),
    "do_search": ("再找一次", "Search again"),
    "do_others": ("选别的设备", "Choose another device"),
}

# why it failed, and the way out: a sentence each for every word of the gateway
FAILURES = {
    "failure_expired": ("网关没有来得及回应", "The gateway did not answer in time"),
    "failure_expired_do": (
        "请看看网关的电源灯亮不亮、家里能不能上网，再试一次。",
        "Look whether the gateway's light is on and the internet works at home, then try again.",
    ),
    "failure_busy": ("网关正忙着添加别的设备", "The gateway is busy adding another device"),
    "failure_busy_do": (
        "请等一两分钟再试。也许有人正在网关旁边操作。",
        "Wait a minute or two, then try again. Somebody may be at the gateway itself.",
    ),
    "failure_unknown_device": ("网关找不到这个设备了", "The gateway does not see this device"),
    "failure_unknown_device_do": (
        "请让设备重新进入配对状态，放在网关附近，再试一次。",
        "Put the device into pairing mode beside the gateway, then try once more.",
    ),
    "failure_not_supported": ("这个设备用不了", "This device cannot be used"),
    "failure_not_supported_do": (
        "它的数据不开放，或者我们还不会读。请选别的设备。",
        "It does not share its data, or we cannot read it yet. Choose another device.",
    ),
    "failure_out_of_reach": ("连不上设备", "The device could not be reached"),
    "failure_out_of_reach_do": (
        "请把它拿到网关旁边，让它进入配对状态；不行就换电池，再试一次。",
        "Bring it beside the gateway and put it into pairing mode; if that fails, change its "
        "battery, then try again.",
    ),
    "failure_wrong_passkey": ("数字不对", "The number was not right"),
    "failure_wrong_passkey_do": (
        "请再试一次，照着设备屏幕上新的数字输入。",
        "Try again and type the new number on the screen of the device.",
    ),
    "failure_no_passkey": ("没有等到数字", "No number came in time"),
    "failure_no_passkey_do": (
        "设备只等半分钟。请再试一次，看到数字马上输入。",
        "A device waits for half a minute only. Try again and type the number at once.",
    ),
    "failure_refused": ("设备不同意配对", "The device refused to pair"),
    "failure_refused_do": (
        "请让它进入配对状态；如果它和别的手机连着，先在手机上断开，或在设备上删除旧的配对，再试一次。",
        "Put it into pairing mode. If a phone is connected to it, disconnect that, or delete old "
        "pairings on the device; then try again.",
    ),
    "failure_lost_bond": (
        "设备不记得以前的配对了",
        "The device has forgotten its earlier pairing",
    ),
    "failure_lost_bond_do": (
        "请在设备上删除旧的配对，让它进入配对状态，再试一次。",
        "Delete the old pairing on the device, put it into pairing mode, then try again.",
    ),
    "failure_cancelled": ("已停止", "Stopped"),
    "failure_cancelled_do": ("想添加时再找一次就行。", "Search again whenever you like."),
    "failure_adapter": ("网关的蓝牙有问题", "The gateway's Bluetooth does not work"),
    "failure_adapter_do": (
        "请拔下网关的插头，等十秒再插上，两分钟后再试。",
        "Unplug the gateway, wait ten seconds, plug it in again and try in two minutes.",
    ),
    "failure_disk": ("网关的存储满了或坏了", "The gateway's disk is full or broken"),
    "failure_disk_do": (
        "在修好以前不能添加设备。请告诉管理这台服务器的人。",
        "No device can be added until it is mended. Tell whoever runs this server.",
    ),
    "failure_fault": ("网关出了点问题", "Something went wrong in the gateway"),
    "failure_fault_do": (
        "请再试一次；还不行，把下面的说明发给管理的人。",
        "Try again; if it stays, send the note below to whoever runs this server.",
    ),
}

REMOVING = {
    "remove_title": ("移除设备", "Remove a device"),
    "remove_ask": ("要移除这个设备吗？", "Remove this device?"),
    "remove_means": (
        "网关以后不再读它。已经测过的数据都会保留；以后还可以再添加。",
        "The gateway will not read it any more. What was measured stays, and it can be added "
        "again later.",
    ),
    "remove_shared": (
        "家里其他人也在用它，对他们也不再读取。",
        "Others at home use it too; it will not be read for them either.",
    ),
    "remove_yes": ("移除", "Remove it"),
    "remove_no": ("不移除", "Keep it"),
    "removal_waiting": ("正在移除……", "Removing…"),
    "removal_waiting_do": ("网关正在处理，请稍等。", "The gateway is at it; one moment."),
    "removal_silent": ("网关没有回应", "The gateway does not answer"),
    "removal_silent_do": (
        "请看看网关的电源和网络。网关已经不用了，就直接从列表里去掉。",
        "Look at its power and network. If the gateway is no longer in use, just take the "
        "device off the list.",
    ),
    "removal_done": ("已移除", "Removed"),
    "removal_done_do": ("已经测过的数据都还在。", "What was measured is still there."),
    "removal_failed": ("网关没能移除它", "The gateway could not remove it"),
    "removal_failed_do": (
        "可以再试一次，或者直接从列表里去掉。",
        "Try again, or just take it off the list.",
    ),
    "remove_anyway": ("从列表里去掉", "Take it off the list"),
}
