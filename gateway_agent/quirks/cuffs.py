"""Blood-pressure cuffs that differ from their profile. May hold: rows. May not: anything else."""

from gateway_agent.quirk_row import Bond, ClockSetting, Confidence, Quirk, Words

# in their app and in others' hands these take a long press of the Bluetooth or memory key
_BLUETOOTH_KEY = Words(
    zh="测一次血压；或在设置里打开蓝牙，按住记忆键“M”，直到蓝牙标志闪动。屏幕上若有六位数字，请输入它们。",
    en="Take a measurement; or switch Bluetooth on in the settings and hold the memory key M until "
    "the Bluetooth sign flashes. If six digits show, type them in.",
)

CUFFS = (
    Quirk(
        id="omron_standard",
        zh="欧姆龙血压计（标准蓝牙型号）",
        en="Omron cuffs that offer the standard Blood Pressure Service",
        driver="blood_pressure_cuff",
        names=("(?i)BLEsmart_0000",),
        services=("1810",),
        bond=Bond.AT_ONCE,
        # it listens only in answer to its first reading, and takes no small corrections
        clock_setting=ClockSetting.AT_FIRST_NOTIFICATION,
        clock_set_beyond_s=600,
        pairing=Words(
            zh="按住血压计的蓝牙键，直到屏幕上出现“-P-”，再松手。",
            en="Hold the Bluetooth button of the cuff until -P- shows, then let go.",
        ),
        picture="cuff",
        sources=(
            "weliem/blessed-android, BluetoothHandler (clock at the first reading, beyond 10 min)",
            "names BLEsmart_0000… as Omron's own list has them for cuffs",
        ),
    ),
    Quirk(
        id="ad_ua651",
        zh="爱安德 A&D UA-651BLE",
        en="A&D UA-651BLE",
        driver="blood_pressure_cuff",
        names=("A&D_UA-651BLE", "A&D_UA-651"),
        bond=Bond.AT_ONCE,
        hangs_up_after_bond=True,
        clock="2A08",
        pairing=Words(
            zh="按住“START”键，直到屏幕上出现“Pr”，再松手。",
            en="Hold the START button until Pr shows, then let go.",
        ),
        picture="cuff",
        confidence=Confidence.VECTORS,
        sources=(
            "AdCami gateway, TestAdCamiMeasurements (captured readings)",
            "weliem/blessed-bluez (pairing ends only when the host hangs up)",
            "bluevery example (clock 2A08 in the Blood Pressure Service); Pr: unconfirmed",
        ),
    ),
    Quirk(
        id="silvercrest_sbm69",
        zh="Silvercrest SBM69 血压计",
        en="Silvercrest SBM69",
        driver="blood_pressure_cuff",
        names=("(Silvercrest )?SBM69",),
        shows_passkey=True,
        resends_all=True,
        # the same as medical floats up to 2,047: the exponent is 0
        plain_integers=True,
        pairing=_BLUETOOTH_KEY,
        picture="cuff",
        sources=("1technophile/OpenMQTTGateway #806 (passkey, 16-bit integers)",),
    ),
    Quirk(
        id="beurer_cuff",
        zh="Beurer BM、BC 系列血压计",
        en="Beurer BM and BC cuffs",
        driver="blood_pressure_cuff",
        names=(r"(Beurer )?B[MC] ?(54|57|64|67|69|75|77|81|85|87|93|96)",),
        resends_all=True,
        pairing=_BLUETOOTH_KEY,
        picture="cuff",
        sources=(
            "derdilla/blood-pressure-monitor-fl #352 (whole memory, oldest first)",
            "names as other people's programs list them (BM54, BM67, BM75, BC57)",
        ),
    ),
    Quirk(
        id="sanitas_cuff",
        zh="Sanitas SBM 血压计",
        en="Sanitas SBM37, SBM67",
        driver="blood_pressure_cuff",
        names=("(Sanitas )?SBM(37|67)", "BPM Smart"),
        resends_all=True,
        pairing=_BLUETOOTH_KEY,
        picture="cuff",
        sources=("derdilla/blood-pressure-monitor-fl #352; names as a maker's app lists them",),
    ),
    Quirk(
        id="medisana_cuff",
        zh="Medisana BU 5xx 血压计",
        en="Medisana BU 5xx",
        driver="blood_pressure_cuff",
        names=("1872B", "(Medisana )?BU ?5[0-9]{2}"),
        resends_all=True,
        pairing=_BLUETOOTH_KEY,
        picture="cuff",
        sources=(
            "bkbilly/medisanabp_ble #1 (whole memory); name 1872B from its device list",
            "name BU 5xx: unconfirmed",
        ),
    ),
    Quirk(
        id="taidoc_cuff",
        zh="泰博 TaiDoc、福尔 FORA 血压计",
        en="TaiDoc and FORA cuffs with the standard Blood Pressure Service",
        driver="blood_pressure_cuff",
        names=("TAIDOC TD3", "FORA", "DIAMOND"),
        services=("1810",),
        clock_setting=ClockSetting.NEVER,
        pairing=Words(
            zh="测一次血压；测完后血压计会自己发送。",
            en="Take a measurement: the cuff sends by itself afterwards.",
        ),
        picture="cuff",
        sources=("names as other people's programs list them (TAIDOC TD3128, FORA D40)",),
    ),
    Quirk(
        id="yuwell_cuff",
        zh="鱼跃血压计（标准蓝牙型号）",
        en="Yuwell cuffs that offer the standard Blood Pressure Service",
        driver="blood_pressure_cuff",
        names=("Yuwell BP",),
        services=("1810",),
        pairing=Words(
            zh="测一次血压；测完后血压计会自己发送。",
            en="Take a measurement: the cuff sends by itself afterwards.",
        ),
        picture="cuff",
        sources=("names as other people's programs list them (Yuwell BP-YE680A): unconfirmed",),
    ),
)
