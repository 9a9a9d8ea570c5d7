"""Words of the page about the box in the home."""

GATEWAY = {
    "gateway_link": ("网关", "Gateway"),
    "gateway_title": ("家里的网关", "The gateway at home"),
    "gateway_of": ("{name}家里的网关", "The gateway of {name}'s home"),
    "gateway_what": (
        "网关是放在家里的小盒子：它通过蓝牙读取血压计、血糖仪，再把测量发给服务器。",
        "The gateway is a small box at home: it reads cuff and meter over Bluetooth and sends what "
        "was measured to the server.",
    ),
    "gateway_none": ("还没有网关。", "There is no gateway yet."),
    "gateway_never": (
        "还没有消息：请给它通电、连上网络。",
        "It has never reported: give it power and connect it to the network.",
    ),
    "box_silent": (
        "{age}没有消息：请看看它有没有电、家里能不能上网。",
        "It has been silent for {age}: look whether it has power and the internet works at home.",
    ),
    "gateway_well": ("工作正常，{age}前有消息。", "It works; it reported {age} ago."),
    "gateway_waiting": (
        "有 {n} 条测量还没有送到服务器，会自动补传。",
        "{n} measurements have not reached the server yet; they are sent by themselves.",
    ),
    "gateway_disk": (
        "存储快满了，只剩 {mb} MB：请换一张大一点的存储卡，或清理空间。",
        "The disk is nearly full, {mb} MB are left: make room, or take a larger card.",
    ),
    "gateway_hot": (
        "网关太热，{celsius} °C：请放到通风的地方，不要晒太阳。",
        "The gateway is hot, {celsius} °C: put it where air can pass and the sun cannot reach it.",
    ),
    "gateway_deaf": (
        "{age}没有听到任何蓝牙设备：蓝牙适配器插好了吗？拔下再插上，再重启网关。",
        "No Bluetooth device was heard for {age}: is the USB stick in? Pull it out, put it back, "
        "and restart the gateway.",
    ),
    "gateway_trouble_adapter": (
        "蓝牙适配器不工作：请拔下再插上，再重启网关。",
        "The Bluetooth adapter does not work: pull it out, put it back, and restart the gateway.",
    ),
    "gateway_trouble_bluetooth": (
        "网关的蓝牙服务没有运行：请重启网关。",
        "The gateway's Bluetooth service does not run: restart the gateway.",
    ),
    "gateway_trouble_bus": (
        "网关的系统服务没有运行：请重启网关。",
        "A system service of the gateway does not run: restart the gateway.",
    ),
    "gateway_trouble_silence": (
        "没有听到任何蓝牙设备：请把网关放近一些，或重启网关。",
        "No Bluetooth device is heard: put the gateway nearer, or restart it.",
    ),
    "gateway_trouble_disk": (
        "存储已满或损坏：新的测量会留在设备里，请尽快换存储卡。",
        "The disk is full or damaged: new readings stay in their devices. Change the card soon.",
    ),
    "gateway_trouble_clock": (
        "网关的时间不对，测量先留在设备里：请接通网络，它会自己校时。",
        "The gateway's clock is wrong, and readings wait in their devices: connect it to the "
        "network, and it sets itself right.",
    ),
    "gateway_trouble_other": ("网关报告：{said}", "The gateway says: {said}"),
    "gateway_revoked": ("已停用（{when}）", "Shut out since {when}"),
    "gateway_expired": (
        "证书已过期：请用新的代码重新登记这个网关。",
        "Its certificate has run out: set this gateway up anew with a new code.",
    ),
    "gateway_expires": (
        "证书还有 {days} 天到期，网关应该已经自己更新：请看看它能不能上网。",
        "Its certificate runs out in {days} days and should have been renewed by the gateway "
        "itself: look whether it is online.",
    ),
    "gateway_certificate": (
        "证书有效到 {day}，到期前自动更新",
        "Certificate until {day}, renewed by itself",
    ),
    "gateway_allowed_by": ("由 {who} 登记", "Set up by {who}"),
    "gateway_software": ("软件 {version}", "Software {version}"),
    "gateway_free": ("剩余存储 {mb} MB", "{mb} MB of disk free"),
    "gateway_warm": ("温度 {celsius} °C", "{celsius} °C warm"),
    "gateway_set_up": ("登记一个新网关", "Set up a gateway"),
    "gateway_make_code": ("生成代码", "Make a code"),
    "gateway_how": (
        "盒子装好软件以后，在盒子上输入一条命令，它就和这个家连在一起。",
        "Once the software is on the box, one command typed on it joins it to this home.",
    ),
    "gateway_code": ("您的代码", "Your code"),
    "gateway_type_this": ("在盒子上输入：", "Type this on the box:"),
    "gateway_install_this": (
        "盒子是新的？这一条命令会安装并登记：",
        "Is the box new? This one installs and sets it up:",
    ),
    "gateway_code_once": (
        "代码只能用一次，一小时内有效。请不要发给别人。",
        "The code works once, within an hour. Do not pass it on.",
    ),
    "gateway_no_authority": (
        "这台服务器不能从网页登记网关：没有设置签发证书的机构。请让管理服务器的人设置 "
        "KANGBAN_AUTHORITY_CERTIFICATE_PATH、KANGBAN_AUTHORITY_KEY_PATH 和 "
        "KANGBAN_GATEWAY_MQTT_URL，或用 deploy/certificates.sh 签发证书（见 docs/gateway.md）。",
        "This server cannot set gateways up from a page: it has no authority to sign with. Ask "
        "whoever runs it to set KANGBAN_AUTHORITY_CERTIFICATE_PATH, KANGBAN_AUTHORITY_KEY_PATH and "
        "KANGBAN_GATEWAY_MQTT_URL, or to sign with deploy/certificates.sh (see docs/gateway.md).",
    ),
    "gateway_shut_out": ("停用这个网关", "Shut this gateway out"),
    "gateway_shut_out_why": (
        "丢失、转让或不再使用时停用。停用后它的测量不再接收，要用新代码才能再登记。",
        "For a box that was lost, given away or is no longer used. Nothing of it is taken in any "
        "more; only a new code sets it up again.",
    ),
    "gateway_broker": (
        "已停用。服务器从现在起不再接收它的数据；请让管理服务器的人让消息服务重新读取停用名单"
        "（docs/gateway.md）。",
        "It is shut out: the server takes nothing of it from now on. Ask whoever runs the server "
        "to let the broker read its list of those shut out again (docs/gateway.md).",
    ),
}
