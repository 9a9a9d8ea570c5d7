"""What a person is told so that a device can be added: how to wake it, and which drawing to show.

The row of a model (`quirk.py`) goes first; where it says nothing, what is true of most devices of
its kind. Pure. May hold: these sentences, in both languages. May not: models, bytes.
"""

from gateway_agent.quirk import Quirk, Words
from gateway_agent.talk import Driver

_ANY = Words(
    zh="打开设备的蓝牙，按住蓝牙键或电源键，直到屏幕上的蓝牙图标或字母闪烁；手机上的配套软件请先关掉。",
    en="Switch its Bluetooth on: hold the Bluetooth or power button until its symbol or a letter "
    "blinks. Close its app on the phone first.",
)

_SCALE = Words(
    zh="轻踩一下体重秤让屏幕亮起；有配对键的，按一下电池盒旁的键。",
    en="Tap the scale with a foot so that it lights up; where there is a button beside the "
    "batteries, press it once.",
)

# by the kind of driver; true of most devices of that kind, not taken from one manual
_BY_KIND: dict[str, Words] = {
    "blood_pressure_cuff": Words(
        zh="在关机状态下按住开始键或记忆键，直到屏幕上出现 -P- 或蓝牙图标闪烁。",
        en="With the cuff switched off, hold the start or memory button until -P- shows or the "
        "Bluetooth symbol blinks.",
    ),
    "glucose_meter": Words(
        zh="打开血糖仪，在设置里选蓝牙、配对；屏幕上若显示六位数字，请在这里输入。",
        en="Switch the meter on and choose Bluetooth, pairing in its settings. Where it shows six "
        "digits, type them in here.",
    ),
    "wristband": Words(
        zh="把手环戴在手腕上，打开“心率广播”，并断开它与手机的连接。",
        en="Wear the band, switch its heart-rate broadcast on, and disconnect it from the phone.",
    ),
    "pulse_oximeter": Words(
        zh="把手指放进血氧仪，它开机后就能找到。",
        en="Put a finger into the oximeter: it is found while it measures.",
    ),
    "weight_scale": _SCALE,
    "body_composition_scale": _SCALE,
    "thermometer": Words(
        zh="打开体温计，量一次体温，它在测完后的半分钟里能被找到。",
        en="Switch the thermometer on and measure once: it is found for half a minute after that.",
    ),
    "cgm": Words(
        zh="戴好传感器并等它启动完成，断开它与手机的连接，把网关放在三米以内。",
        en="Wear the sensor and let it warm up, disconnect it from the phone, and keep the gateway "
        "within three metres.",
    ),
    "smart_watch": Words(
        zh="在手表的设置里打开蓝牙，并断开它与手机的连接。",
        en="Switch Bluetooth on in the watch's settings, and disconnect it from the phone.",
    ),
    "ring": Words(
        zh="把戒指放在充电座上一会儿再拿下，并从手机应用里解除连接。",
        en="Put the ring on its charger for a moment, take it off, and remove it from the phone's "
        "app.",
    ),
}


def hint_of(quirk: Quirk, driver: Driver | None) -> Words:
    """How to put this device into pairing mode."""
    if quirk.pairing is not None:
        return quirk.pairing
    return _BY_KIND.get(driver.kind, _ANY) if driver is not None else _ANY


def picture_of(quirk: Quirk, driver: Driver | None) -> str:
    """The key of the drawing that shows its button: the model's own, else that of its kind."""
    return quirk.picture or (driver.kind if driver is not None else "")
