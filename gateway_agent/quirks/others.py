"""Scales, oximeters and thermometers that differ from their profiles. May hold: rows. May not:
anything else."""

from gateway_agent.quirk_row import Bond, ClockSetting, Confidence, Quirk, Words

OTHERS = (
    Quirk(
        id="ad_uc352",
        zh="爱安德 A&D UC-352BLE 体重秤",
        en="A&D UC-352BLE scale",
        driver="weight_scale",
        names=("A&D_UC-352BLE", "A&D_UC-352"),
        bond=Bond.AT_ONCE,
        hangs_up_after_bond=True,
        clock="2A08",
        pairing=Words(
            zh="按住秤背面的按钮，直到屏幕上出现“Pr”，再松手。",
            en="Hold the button on the back of the scale until Pr shows, then let go.",
        ),
        picture="scale",
        confidence=Confidence.VECTORS,
        sources=(
            "AdCami gateway, TestAdCamiMeasurements (a captured weight)",
            "weliem/blessed-bluez (pairing ends only when the host hangs up); Pr: unconfirmed",
        ),
    ),
    Quirk(
        id="beurer_scale",
        zh="Beurer BF720、BF105 体脂秤",
        en="Beurer BF720 and BF105 scales",
        driver="body_composition_scale",
        names=("BF ?720", "BF ?105"),
        # it denies every subscription before
        bond=Bond.AT_ONCE,
        note=Words(
            zh="秤里每个人有编号和四位密码；输入密码后才会交出此人的数据。",
            en="Each person has a number and a code in the scale; it hands over nobody's readings "
            "before it was told the code (User Control Point).",
        ),
        pairing=Words(
            zh="站上秤把它唤醒，按住“模式”键约六秒，直到蓝牙标志闪动。",
            en="Wake the scale and hold its mode button for about six seconds until the Bluetooth "
            "sign flashes.",
        ),
        picture="scale",
        sources=(
            "KristianP26/ble-scale-sync #168 (subscriptions denied until bonded)",
            "oliexdev/openScale, BluetoothBeurerBF105 (names, consent)",
        ),
    ),
    Quirk(
        id="taidoc_oximeter",
        zh="泰博 TaiDoc、福尔 FORA 血氧仪",
        en="TaiDoc and FORA oximeters with the standard Pulse Oximeter Service",
        driver="pulse_oximeter",
        names=("TAIDOC TD8", "FORA"),
        services=("1822",),
        clock_setting=ClockSetting.NEVER,
        pairing=Words(
            zh="把手指放进血氧仪，它会自己打开并发送。",
            en="Put a finger in: it switches itself on and sends.",
        ),
        picture="oximeter",
        sources=("names as other people's programs list them (TAIDOC TD8255): unconfirmed",),
    ),
    Quirk(
        id="taidoc_thermometer",
        zh="泰博 TaiDoc、福尔 FORA 体温计",
        en="TaiDoc and FORA thermometers with the standard Health Thermometer Service",
        driver="thermometer",
        names=("TAIDOC TD1", "FORA IR"),
        services=("1809",),
        clock_setting=ClockSetting.NEVER,
        pairing=Words(
            zh="量一次体温；量完后体温计会自己发送。",
            en="Take a temperature: the thermometer sends by itself afterwards.",
        ),
        picture="thermometer",
        sources=("names as other people's programs list them (TAIDOC TD1242): unconfirmed",),
    ),
)
