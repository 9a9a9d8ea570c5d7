"""Glucose meters that differ from the Glucose Profile. May hold: rows. May not: anything else."""

from gateway_agent.quirk_row import Bond, ClockSetting, Quirk, Words

GLUCOSE_METERS = (
    Quirk(
        id="accu_chek",
        zh="罗氏 Accu-Chek（Guide、Instant、Aviva Connect）",
        en="Accu-Chek Guide, Instant, Aviva Connect",
        driver="glucose_meter",
        names=(r"meter\+", "Accu-Chek"),
        # Instant drops the link until it is bonded
        bond=Bond.AT_ONCE,
        shows_passkey=True,
        # in the Glucose Service, where others have Current Time
        clock="2A08",
        pairing=Words(
            zh="血糖仪关机时，按住它的按钮约三秒，直到蓝牙标志闪动。屏幕上或机身背面有六位数字，请输入它们。",
            en="With the meter off, hold its button for about three seconds until the Bluetooth "
            "sign flashes. Type in the six digits on its screen or on its back.",
        ),
        picture="glucose_meter",
        sources=(
            "NightscoutFoundation/xDrip, BluetoothGlucoseMeter (clock 2A08); issue #208 (Guide)",
            "weliem/blessed-android issue #35 (Instant drops the link until bonded)",
        ),
    ),
    Quirk(
        id="contour",
        zh="拜安进 Contour（Next One、Plus One）",
        en="Contour Next One, Contour Plus One",
        driver="glucose_meter",
        names=("Contour",),
        # else it asks twice
        bond=Bond.AT_ONCE,
        # its own clock wants UTC and a zone, and cannot be read back: it is left alone
        clock="00001026-0002-11E2-9E96-0800200C9A66",
        clock_setting=ClockSetting.NEVER,
        pairing=Words(
            zh="血糖仪关机时，按住“OK”键，直到蓝灯闪动。",
            en="With the meter off, hold its OK button until the blue light flashes.",
        ),
        picture="glucose_meter",
        sources=(
            "weliem/blessed-android, BluetoothHandler (clock characteristic, records by number)",
            "NightscoutFoundation/xDrip issues #1076, #761, #872 (pairing must be repeated)",
        ),
    ),
    Quirk(
        id="caresens",
        zh="CareSens（i-SENS）血糖仪",
        en="CareSens (i-SENS)",
        driver="glucose_meter",
        names=("CareSens",),
        clock="FFF1",
        note=Words(
            zh="也能测血酮：那些数值会保留，但不作为血糖显示。",
            en="It also measures ketone: its records say so by a meal number 6, with FFFF in the "
            "place of glucose. They are kept and never shown as glucose.",
        ),
        pairing=Words(
            zh="在血糖仪的设置里打开蓝牙，再选“配对”。屏幕上若有六位数字，请输入它们。",
            en="Switch Bluetooth on in the meter's settings and choose pairing. If six digits "
            "show, type them in.",
        ),
        picture="glucose_meter",
        sources=("NightscoutFoundation/xDrip, caresens/ContextRx and TimeTx with their tests",),
    ),
    Quirk(
        id="taidoc_glucose",
        zh="泰博 TaiDoc、福尔 FORA、Diamond 血糖仪",
        en="TaiDoc, FORA and Diamond glucose meters",
        driver="glucose_meter",
        names=("TAIDOC TD4", "FORA", "DIAMOND"),
        services=("1808",),
        counts_backwards=True,
        clock_setting=ClockSetting.NEVER,
        note=Words(
            zh="时钟读不到：它显示的时间按本地时间计算，请在血糖仪上设对时间。",
            en="Its clock cannot be read, so its times are taken as local time: set it right on "
            "the meter. It sends no meals.",
        ),
        pairing=Words(
            zh="打开血糖仪，按住它的蓝牙键或主键，直到蓝牙标志闪动。",
            en="Switch the meter on and hold its Bluetooth or main button until the Bluetooth sign "
            "flashes.",
        ),
        picture="glucose_meter",
        sources=(
            "NightscoutFoundation/xDrip (numbers count backwards, no clock, no context)",
            "names as other people's programs list them (TAIDOC TD4255, TD4286, FORA GD40, D40)",
        ),
    ),
    Quirk(
        id="yuwell_glucose",
        zh="鱼跃血糖仪",
        en="Yuwell glucose meter",
        driver="glucose_meter",
        names=("Yuwell Glucose",),
        services=("1808",),
        pairing=Words(
            zh="装好试纸测一次血糖；测完后血糖仪会自己发送。",
            en="Measure once: the meter sends by itself after the test.",
        ),
        picture="glucose_meter",
        sources=("programs that read it as a standard Glucose Service; not proven with records",),
    ),
)
