"""Wristbands, watches and rings. May hold: rows. May not: anything else."""

from gateway_agent.quirk_row import Bond, ClockSetting, Confidence, Quirk, Words

# names on the air of bands whose history is locked by their makers
LOCKED_BANDS = (
    "Mi (Smart )?Band",
    "Xiaomi (Smart )?Band",
    "Redmi (Smart )?(Band|Watch)",
    "Amazfit",
    "(?i)HUAWEI (Band|Watch|Fit)",
    "(?i)HONOR (Band|Watch)",
)

BANDS = (
    # open wristbands and rings
    Quirk(
        id="infinitime",
        zh="PineTime 手表（InfiniTime）",
        en="PineTime watch (InfiniTime)",
        driver="smart_watch",
        # it advertises 180D, like any band
        names=("InfiniTime",),
        bond=Bond.NEVER,
        pairing=Words(
            zh="在手表上打开蓝牙；打开心率测量，步数随时可读。",
            en="Switch Bluetooth on in the watch's settings and start its heart-rate measurement; "
            "steps can be read at any time.",
        ),
        picture="band",
        confidence=Confidence.SIMULATED,
        sources=("InfiniTimeOrg/InfiniTime doc/ble.md, doc/MotionService.md",),
    ),
    Quirk(
        id="colmi_r02",
        zh="Colmi R02 系列戒指",
        en="Colmi R02 family of rings",
        driver="ring",
        names=("R0[2-9]_", "R10_", "COLMI"),
        bond=Bond.NEVER,
        pairing=Words(
            zh="把戒指放在充电座上一会儿再拿下，并从手机应用里解除连接。",
            en="Put the ring on its charger for a moment, take it off, and remove it from the "
            "phone's app: it talks to one at a time.",
        ),
        picture="ring",
        confidence=Confidence.VECTORS,
        sources=("tahnok/colmi_r02_client", "Gadgetbridge devices/colmi"),
    ),
    # locked ones that offer their heart rate to anybody
    Quirk(
        id="broadcasting_band",
        zh="小米、华为、华米手环（已打开“心率广播”）",
        en="Xiaomi, Huawei and Amazfit bands while they broadcast their heart rate",
        driver="wristband",
        names=LOCKED_BANDS,
        services=("180D",),
        bond=Bond.NEVER,
        clock_setting=ClockSetting.NEVER,
        note=Words(
            zh="只有心率，而且只在广播打开时；步数和睡眠由厂家加密。",
            en="Heart rate alone, and only while the broadcast is on; steps and sleep are locked "
            "by the maker.",
        ),
        pairing=Words(
            zh="在手环的设置里打开“心率广播”。",
            en="Switch on the heart-rate broadcast in the band's settings.",
        ),
        picture="band",
        sources=("Gadgetbridge, pages about Huami, Xiaomi and Huawei bands",),
    ),
)
