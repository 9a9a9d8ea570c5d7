"""What may be wrong with a gateway, each with its remedy: a table of facts and words.

A row says when it is a problem, and both languages say what is wrong and what to do. What could not
be looked at is None and is no problem. May hold: the facts' shape and this table. May not: looking
at anything (`examination.py`), who is told (`doctor.py`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway_agent.clock import EARLIEST

# megabytes; the spool of a month takes about ten, an update of the program a hundred
DISK_LOW_MB = 200
# BlueZ that answers a bonded device's first indication and reports lost keys; engineering choice,
# from the versions that current Debian, Ubuntu and Raspberry Pi OS bring
LEAST_BLUEZ = (5, 55)
# days; the gateway renews its own certificate when 90 are left, so that it had two months for it
CERTIFICATE_NEAR = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was found; None where it could not be looked at or does not apply here."""

    now: datetime
    data: str
    adapter: str
    # a sentence on what is missing or wrong
    settings_error: str | None = None
    data_error: str | None = None
    spool_error: str | None = None
    disk_free_mb: int | None = None
    is_clock_synced: bool | None = None
    bus_error: str | None = None
    is_bluez_running: bool | None = None
    bluez_version: tuple[int, int] | None = None
    adapters: tuple[str, ...] | None = None
    is_powered: bool | None = None
    # rfkill: by a switch on the box, by a program
    is_hard_blocked: bool | None = None
    is_soft_blocked: bool | None = None
    # why no pairing agent could be registered
    agent_error: str | None = None
    # bluetoothd refuses this user
    is_refused: bool = False
    scanning_programs: tuple[str, ...] = ()
    is_enrolled: bool = True
    broker: str = ""
    broker_error: str | None = None
    broker_certificate_until: datetime | None = None
    certificate_until: datetime | None = None
    # devices that a person added, that once shared a key with us, whose key BlueZ holds
    added: frozenset[str] | None = None
    once_bonded: frozenset[str] = frozenset()
    bonded: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One row. `wrong` gives what to put into the words, None where all is well."""

    key: str
    wrong: Callable[[Facts], dict[str, object] | None]
    zh: tuple[str, str]
    en: tuple[str, str]


def _if(condition: bool | None, **parts: object) -> dict[str, object] | None:
    return parts if condition else None


def _settings(facts: Facts) -> dict[str, object] | None:
    return _if(facts.is_enrolled and facts.settings_error is not None, why=facts.settings_error)


def _disk(facts: Facts) -> dict[str, object] | None:
    free = facts.disk_free_mb
    return _if(free is not None and free < DISK_LOW_MB, mb=free)


def _bluez_old(facts: Facts) -> dict[str, object] | None:
    version = facts.bluez_version
    return _if(
        version is not None and version < LEAST_BLUEZ,
        has=".".join(map(str, version or ())),
        least=".".join(map(str, LEAST_BLUEZ)),
    )


def _no_bluez(facts: Facts) -> dict[str, object] | None:
    return _if(facts.bus_error is None and facts.is_bluez_running is False and not facts.is_refused)


def _no_adapter(facts: Facts) -> dict[str, object] | None:
    found = facts.adapters
    return _if(
        found is not None and facts.adapter not in found and facts.is_bluez_running,
        adapter=facts.adapter,
        found=", ".join(found or ()) or "-",
    )


def _off(facts: Facts) -> dict[str, object] | None:
    is_blocked = facts.is_soft_blocked or facts.is_hard_blocked
    return _if(facts.is_powered is False and not is_blocked, adapter=facts.adapter)


def _agent(facts: Facts) -> dict[str, object] | None:
    is_worth_telling = facts.is_bluez_running and not facts.is_refused
    return _if(is_worth_telling and facts.agent_error is not None, why=facts.agent_error)


def _expiry(facts: Facts) -> dict[str, object] | None:
    until = facts.certificate_until
    is_near = until is not None and timedelta(0) < until - facts.now < CERTIFICATE_NEAR
    return _if(is_near, days=(until - facts.now).days if until else 0)


def _broker_expiry(facts: Facts) -> dict[str, object] | None:
    until = facts.broker_certificate_until
    is_near = until is not None and until - facts.now < CERTIFICATE_NEAR
    return _if(is_near, days=(until - facts.now).days if until else 0)


def _expired(facts: Facts) -> dict[str, object] | None:
    until = facts.certificate_until
    return _if(until is not None and until <= facts.now, day=until.date() if until else "")


def _lost_keys(facts: Facts) -> dict[str, object] | None:
    if facts.bonded is None or facts.added is None:
        return None
    lost = (facts.added & facts.once_bonded) - facts.bonded
    return _if(bool(lost), devices=", ".join(sorted(lost)))


def _stray_keys(facts: Facts) -> dict[str, object] | None:
    if facts.bonded is None or facts.added is None:
        return None
    stray = facts.bonded - facts.added
    return _if(
        bool(stray),
        devices=", ".join(sorted(stray)),
        first=min(stray, default="").removeprefix("ble:"),
    )


CHECKS: tuple[Check, ...] = (
    Check(
        key="not_enrolled",
        wrong=lambda facts: _if(not facts.is_enrolled),
        zh=(
            "这个盒子还没有登记。",
            "在网页“家里的网关”上生成代码，再运行 sudo kangban-gateway enrol 网址 代码。",
        ),
        en=(
            "This box is not enrolled.",
            "Make a code on the page “The gateway at home”, then run "
            "sudo kangban-gateway enrol ADDRESS CODE.",
        ),
    ),
    Check(
        key="settings",
        wrong=_settings,
        zh=("设置不完整：{why}", "改好这些设置，再启动一次。"),
        en=("The settings are not complete: {why}", "Set these, and start again."),
    ),
    Check(
        key="data",
        wrong=lambda facts: _if(
            facts.data_error is not None, folder=facts.data, why=facts.data_error
        ),
        zh=(
            "数据文件夹 {folder} 不能写：{why}",
            "用运行网关的用户来执行，或者把文件夹交给它（chown）。",
        ),
        en=(
            "The data folder {folder} cannot be written: {why}",
            "Run this as the gateway's user, or give the folder to it (chown).",
        ),
    ),
    Check(
        key="disk",
        wrong=_disk,
        zh=("磁盘快满了，只剩 {mb} MB。", "清理空间，或换一张大一点的存储卡。"),
        en=("The disk is nearly full: {mb} MB are free.", "Make room, or take a larger card."),
    ),
    Check(
        key="spool",
        wrong=lambda facts: _if(facts.spool_error is not None, why=facts.spool_error),
        zh=(
            "暂存文件打不开：{why}",
            "保留这个文件不要删除：里面可能有没送出的测量。检查存储卡，再请支持人员看。",
        ),
        en=(
            "The spool does not open: {why}",
            "Keep the file: readings may be in it that were not sent. Check the card, then ask "
            "support.",
        ),
    ),
    Check(
        key="year",
        wrong=lambda facts: _if(facts.now < EARLIEST, year=facts.now.year),
        zh=("时钟显示 {year} 年。", "连上网络等时钟对准；这之前不会读取设备。"),
        en=(
            "The clock shows the year {year}.",
            "Connect to the network and let the clock be set; no device is read before.",
        ),
    ),
    Check(
        key="clock",
        wrong=lambda facts: _if(facts.is_clock_synced is False),
        zh=("时钟没有和网络对时。", "运行 sudo timedatectl set-ntp true，并检查能不能上网。"),
        en=(
            "The clock is not kept by the network.",
            "Run sudo timedatectl set-ntp true, and see that the internet works.",
        ),
    ),
    Check(
        key="bus",
        wrong=lambda facts: _if(facts.bus_error is not None, why=facts.bus_error),
        zh=("连不上 D-Bus：{why}", "运行 sudo systemctl start dbus；没有就安装 dbus。"),
        en=(
            "D-Bus cannot be reached: {why}",
            "Run sudo systemctl start dbus, or install dbus where it is missing.",
        ),
    ),
    Check(
        key="refused",
        wrong=lambda facts: _if(facts.is_refused),
        zh=(
            "蓝牙服务拒绝这个用户。",
            "把用户加入 bluetooth 组（sudo usermod -aG bluetooth kangban-gateway），"
            "或安装 deploy/gateway/kangban-gateway.dbus.conf，再重启网关。",
        ),
        en=(
            "The Bluetooth service refuses this user.",
            "Put the user into the group bluetooth (sudo usermod -aG bluetooth kangban-gateway), "
            "or install deploy/gateway/kangban-gateway.dbus.conf, then restart the gateway.",
        ),
    ),
    Check(
        key="bluez",
        wrong=_no_bluez,
        zh=("蓝牙服务没有运行。", "运行 sudo systemctl enable --now bluetooth；没有就安装 bluez。"),
        en=(
            "The Bluetooth service does not run.",
            "Run sudo systemctl enable --now bluetooth, or install bluez where it is missing.",
        ),
    ),
    Check(
        key="bluez_version",
        wrong=_bluez_old,
        zh=(
            "BlueZ 是 {has}，至少要 {least}。",
            "更新系统（Raspberry Pi OS 2021 年以后的版本都够新）。",
        ),
        en=(
            "BlueZ is {has}; at least {least} is needed.",
            "Update the system (Raspberry Pi OS since 2021 is new enough).",
        ),
    ),
    Check(
        key="hard_block",
        wrong=lambda facts: _if(facts.is_hard_blocked),
        zh=("蓝牙被盒子上的开关关掉了。", "打开盒子上的无线开关，或在 BIOS 里打开蓝牙。"),
        en=(
            "Bluetooth is switched off by a switch on the box.",
            "Switch radio on at the box, or in its BIOS.",
        ),
    ),
    Check(
        key="soft_block",
        wrong=lambda facts: _if(facts.is_soft_blocked),
        zh=("蓝牙被软件关掉了。", "运行 sudo rfkill unblock bluetooth。"),
        en=("Bluetooth is switched off by a program.", "Run sudo rfkill unblock bluetooth."),
    ),
    Check(
        key="adapter",
        wrong=_no_adapter,
        zh=(
            "没有蓝牙适配器 {adapter}（有：{found}）。",
            "插好 USB 适配器；如果它叫别的名字，就设置 KANGBAN_ADAPTER。",
        ),
        en=(
            "There is no Bluetooth adapter {adapter} (there is: {found}).",
            "Put the USB stick in; where it has another name, set KANGBAN_ADAPTER.",
        ),
    ),
    Check(
        key="powered",
        wrong=_off,
        zh=("蓝牙适配器 {adapter} 没有打开。", "运行 bluetoothctl power on。"),
        en=("The Bluetooth adapter {adapter} is off.", "Run bluetoothctl power on."),
    ),
    Check(
        key="agent",
        wrong=_agent,
        zh=(
            "不能登记配对代理：{why}",
            "重启蓝牙服务：sudo systemctl restart bluetooth。没有它就不能配对。",
        ),
        en=(
            "No pairing agent can be registered: {why}",
            "Restart the Bluetooth service: sudo systemctl restart bluetooth. Nothing can be "
            "paired without.",
        ),
    ),
    Check(
        key="scanners",
        wrong=lambda facts: _if(
            bool(facts.scanning_programs), programs=", ".join(facts.scanning_programs)
        ),
        zh=(
            "别的程序也在用蓝牙：{programs}。",
            "请停掉它们：两个程序同时扫描或连接，会互相打断。",
        ),
        en=(
            "Other programs use Bluetooth too: {programs}.",
            "Stop them: two programs that scan or connect at once interrupt each other.",
        ),
    ),
    Check(
        key="expired",
        wrong=_expired,
        zh=(
            "这个网关的证书 {day} 已过期。",
            "在网页上生成新代码，移走 gateway.env，再运行 kangban gateway enrol。",
        ),
        en=(
            "The certificate of this gateway ran out on {day}.",
            "Make a new code on the page, move gateway.env away, run kangban gateway enrol.",
        ),
    ),
    Check(
        key="expires",
        wrong=_expiry,
        zh=(
            "这个网关的证书还有 {days} 天到期，却没有自动更新。",
            "看看日志里的原因；检查 KANGBAN_SERVER_URL 和网络。",
        ),
        en=(
            "The certificate of this gateway runs out in {days} days and was not renewed.",
            "See the log for the reason; check KANGBAN_SERVER_URL and the network.",
        ),
    ),
    Check(
        key="broker",
        wrong=lambda facts: _if(
            facts.broker_error is not None, broker=facts.broker, why=facts.broker_error
        ),
        zh=(
            "连不上消息服务 {broker}：{why}",
            "检查能不能上网、地址对不对、路由器有没有挡住 8883 端口。测量会先存在盒子里。",
        ),
        en=(
            "The broker {broker} cannot be reached: {why}",
            "Check the internet, the address, and whether the router blocks port 8883. Readings "
            "are kept on this box until then.",
        ),
    ),
    Check(
        key="broker_expires",
        wrong=_broker_expiry,
        zh=("服务器的消息服务证书还有 {days} 天到期。", "请告诉管理服务器的人。"),
        en=(
            "The broker's certificate runs out in {days} days.",
            "Tell whoever runs the server.",
        ),
    ),
    Check(
        key="lost_keys",
        wrong=_lost_keys,
        zh=(
            "这些设备的配对密钥不见了：{devices}。",
            "在网页上重新添加它们（先在设备上也删除旧的配对）。",
        ),
        en=(
            "The keys of these devices are gone: {devices}.",
            "Add them again from the page, after their own pairing was deleted on them.",
        ),
    ),
    Check(
        key="stray_keys",
        wrong=_stray_keys,
        zh=(
            "系统里有没人添加的设备的密钥：{devices}。",
            "在网页上添加它们，或删除密钥：bluetoothctl remove {first}。",
        ),
        en=(
            "The system holds keys of devices that nobody added: {devices}.",
            "Add them from the page, or remove the key: bluetoothctl remove {first}.",
        ),
    ),
)
