"""What the shell says about a gateway, in Chinese or English, for a nurse's nephew.

Events carry steps and numbers; here they become lines. Sentences in an event's `said` are for
support and come in English only: they stand behind ours. Pure but for the drivers' names. May hold:
these words. May not: input, output, what is asked next (`conversation.py`).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gateway_agent.drivers.registry import DRIVERS
from gateway_agent.pairing import WAYS_OUT, is_stranger
from vitals.command import Candidate, Event, Failure, Step
from vitals.kinds import VITALS, Kind
from vitals.units import UNIT_TEXT, Unit

# (zh, en)
TEXTS: Mapping[str, tuple[str, str]] = {
    "scanning": (
        "正在找设备，{seconds} 秒……把设备拿到网关三米以内，并进入配对状态。",
        "Looking for devices for {seconds} s … bring yours within three metres and into pairing "
        "mode.",
    ),
    "nothing_found": (
        "没有找到设备。请靠近一点，按下面的方法唤醒它，再试一次：按住蓝牙键或开始键，直到图标闪烁。",
        "No device was found. Come nearer, hold its Bluetooth or start button until the symbol "
        "blinks, and try again.",
    ),
    "which": ("要添加哪一个？输入编号（回车取消）：", "Which one? Type its number (Enter ends): "),
    "no_such_number": ("没有这个编号。", "There is no such number."),
    "nothing_chosen": ("没有添加任何设备。", "Nothing was added."),
    "passkey": ("输入设备屏幕上的六位数字：", "Type the six digits that the device shows: "),
    "confirm": (
        "设备上显示的也是 {number} 吗？(y/n) ",
        "Does the device show {number} too? (y/n) ",
    ),
    "six_digits": ("要六位数字，再来一次：", "Six digits, please: "),
    "taken": ("等设备出现……", "Waiting for the device …"),
    "connecting": ("正在连接……", "Connecting …"),
    "bonded": ("已配对。", "Paired."),
    "clock": ("设备的时钟{offset}。", "The device's clock {offset}."),
    "clock_right": ("准确", "is right"),
    "clock_slow": ("慢 {by}", "is {by} slow"),
    "clock_fast": ("快 {by}", "is {by} fast"),
    "history": ("已读取 {read} 条记录……", "Records read: {read} …"),
    "reading": ("最新的一次：{values}（{at}）", "Newest: {values} ({at})"),
    "added": ("添加好了，读到 {read} 条记录。", "Added; records read: {read}."),
    "added_empty": (
        "添加好了。里面没有新的记录：量一次，网关会自己读取。",
        "Added. It had no new records: measure once, and it is read by itself.",
    ),
    "forgotten": (
        "{device} 不再被读取。已经读到的数据都还在。",
        "{device} is no longer read. What was read stays.",
    ),
    "consented": (
        "{device} 的密码已记下：网关下次会读取用户 {user} 的数据。",
        "The code is kept: at its next visit {device} is asked for the readings of user {user}.",
    ),
    "passkey_shown": ("屏幕会显示六位数字", "it shows six digits"),
    "unsupported": ("用不了", "cannot be used"),
    "stranger": ("不认识的设备", "unknown device"),
    "no_devices": (
        "还没有添加设备。用 kangban gateway pair 添加。",
        "No device was added yet: kangban gateway pair adds one.",
    ),
    "never_read": ("还没有读到过", "not read yet"),
    "last_seen": ("上次 {at}", "last seen {at}"),
    "battery": ("电量 {percent}%", "battery {percent} %"),
    "failure": ("问题：{failure}", "trouble: {failure}"),
    "gateway_gone": ("网关停了。", "The gateway has stopped."),
    "status": (
        "网关在工作：{devices} 个设备，{spooled} 个数值等着发给服务器。",
        "The gateway works. Devices: {devices}; values that wait for the server: {spooled}.",
    ),
    "status_alone": (
        "网关没有运行。暂存里有 {spooled} 个数值，{devices} 个设备。",
        "No gateway runs here. Devices: {devices}; values in its spool: {spooled}.",
    ),
    "disk": ("磁盘还有 {disk_free_mb} MB", "{disk_free_mb} MB of the disk are free"),
}

FAILURES: Mapping[Failure, tuple[str, str]] = {
    Failure.EXPIRED: ("来得太晚了，请重新开始。", "That came too late: begin again."),
    Failure.BUSY: (
        "网关正在添加别的设备，等它完成再试。",
        "The gateway is adding another device: wait until it is done.",
    ),
    Failure.UNKNOWN_DEVICE: (
        "网关没有这个设备；kangban gateway devices 列出已添加的。",
        "The gateway has no such device: `kangban gateway devices` lists them.",
    ),
    Failure.NOT_SUPPORTED: (
        "这个设备读不了：厂家只让自己的应用读取数据。",
        "This device cannot be read: its maker keeps its data to its own app.",
    ),
    Failure.OUT_OF_REACH: (
        "找不到设备：拿到网关三米以内，打开它，再试一次。",
        "The device is silent: bring it within three metres, switch it on, and try again.",
    ),
    Failure.WRONG_PASSKEY: (
        "数字不对：让设备重新进入配对状态，输入它新显示的数字。",
        "The digits were not right: put the device into pairing mode again and type the new ones.",
    ),
    Failure.NO_PASSKEY: (
        "没有及时输入数字：让设备重新进入配对状态，再来一次。",
        "The digits came too late: put the device into pairing mode again and begin anew.",
    ),
    Failure.REFUSED: (
        "设备拒绝了：先在手机上取消它的配对，再让它进入配对状态。",
        "The device refused: remove it on the phone first, then put it into pairing mode again.",
    ),
    Failure.LOST_BOND: (
        "设备忘记了这个网关：让它进入配对状态，重新添加。",
        "The device has forgotten this gateway: put it into pairing mode and add it again.",
    ),
    Failure.CANCELLED: ("已取消。", "Cancelled."),
    Failure.ADAPTER: (
        "网关的蓝牙不工作：把蓝牙适配器拔下再插上，或重启网关。",
        "The gateway's Bluetooth does not work: unplug its adapter and plug it in, or restart.",
    ),
    Failure.DISK: (
        "网关的磁盘满了：腾出空间再试。",
        "The gateway's disk is full: free some space and try again.",
    ),
    Failure.FAULT: (
        "网关出错了：再试一次；还不行，把日志发给支持人员。",
        "Something went wrong in the gateway: try again; if it goes on, send its log to support.",
    ),
}


class Words:
    """The words of one language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._place = 0 if language == "zh" else 1

    def say(self, key: str, **more: object) -> str:
        """A text with its numbers."""
        return TEXTS[key][self._place].format(**more)

    def failed(self, event: Event) -> str:
        """Why it ended, and the way out; what support wants to know behind it."""
        failure = event.failure or Failure.FAULT
        said = FAILURES[failure][self._place]
        says_more = event.said not in ("", WAYS_OUT[failure]) and self.language == "en"
        return f"{said}\n  ({event.said})" if says_more else said

    def kind(self, kind: str) -> str:
        """The name of a kind of device."""
        driver = DRIVERS.get(kind)
        if driver is None:
            return kind
        return driver.zh if self.language == "zh" else driver.en

    def candidate(self, candidate: Candidate) -> str:
        """A device on the air, in one line."""
        what = self.kind(candidate.kind)
        if is_stranger(candidate):
            what = self.say("stranger")
        parts = [candidate.name or candidate.device, what or candidate.model]
        if candidate.rssi_dbm is not None:
            parts.append(f"{candidate.rssi_dbm} dBm")
        if candidate.shows_passkey:
            parts.append(self.say("passkey_shown"))
        if not candidate.supported and not is_stranger(candidate):
            parts.append(f"{self.say('unsupported')}: {candidate.reason.get(self.language, '')}")
        return " · ".join(parts) + f"  [{candidate.device}]"

    def progress(self, event: Event) -> str | None:
        """A line about a step of a pairing; None where there is nothing to say."""
        match event.step:
            case Step.TAKEN | Step.CONNECTING | Step.BONDED:
                return self.say(event.step.value)
            case Step.CLOCK:
                return self.say("clock", offset=self.offset(event.numbers.get("offset_s", 0)))
            case Step.HISTORY:
                return self.say("history", read=event.numbers.get("read", 0))
            case Step.READING:
                return self.reading(event)
            case Step.DONE:
                read = event.numbers.get("read", 0)
                return self.say("added", read=read) if read else self.say("added_empty")
            case _:
                return None

    def reading(self, event: Event) -> str:
        """The values of a reading, with their moment."""
        values = ", ".join(self._value(each) for each in event.values)
        at = event.values[0]["taken_at"] if event.values else ""
        return self.say("reading", values=values, at=moment(at))

    def offset(self, behind_s: int) -> str:
        """How wrong a clock is; `behind_s` must be added to it."""
        if abs(behind_s) < 60:
            return self.say("clock_right")
        by = _long(abs(behind_s), self.language)
        return self.say("clock_slow" if behind_s > 0 else "clock_fast", by=by)

    def device(self, row: Mapping[str, Any]) -> str:
        """An added device, in one line."""
        name = row.get("name") or row["device"]
        parts = [str(name), self.kind(str(row.get("kind", "")))]
        if row.get("last_seen_at"):
            parts.append(self.say("last_seen", at=moment(str(row["last_seen_at"]))))
        else:
            parts.append(self.say("never_read"))
        if row.get("battery_percent") is not None:
            parts.append(self.say("battery", percent=row["battery_percent"]))
        if row.get("clock_behind_s") is not None:
            offset = self.offset(row["clock_behind_s"])
            parts.append(self.say("clock", offset=offset).rstrip("。."))
        if row.get("failure"):
            parts.append(self.say("failure", failure=row["failure"]))
        return " · ".join(each for each in parts if each) + f"  [{row['device']}]"

    def _value(self, value: Mapping[str, Any]) -> str:
        vital, unit = VITALS[Kind(value["kind"])], UNIT_TEXT[Unit(value["unit"])]
        return f"{(vital.zh, vital.en)[self._place]} {value['value']:g} {unit}"


def moment(text: str) -> str:
    """A moment of the wire in the machine's own zone, to the minute."""
    return f"{datetime.fromisoformat(text).astimezone():%Y-%m-%d %H:%M}" if text else ""


def language(environ: Mapping[str, str]) -> str:
    """ "zh" or "en": KANGBAN_LANG, else what the system speaks."""
    for name in ("KANGBAN_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        said = environ.get(name, "")
        if said:
            return "zh" if said.lower().startswith("zh") else "en"
    return "en"


def _long(seconds: int, language: str) -> str:
    units = (("天", "days"), ("小时", "h"), ("分钟", "min"))
    for size, words in zip((86_400, 3_600, 60), units, strict=True):
        if seconds >= 2 * size or size == 60:
            return f"{round(seconds / size)} {words[0 if language == 'zh' else 1]}"
    raise AssertionError
