"""Devices that cannot be used, each with its reason. May hold: rows. May not: anything else."""

from gateway_agent.quirk_row import Confidence, Quirk, Words
from gateway_agent.quirks.bands import LOCKED_BANDS

_OWN_PROTOCOL = Words(
    zh="它用厂家自己的、没有公开的协议。请选用带标准蓝牙服务的型号。",
    en="It speaks a protocol of its maker that is not published. Choose a model with a standard "
    "Bluetooth service.",
)
_NOT_YET = Words(
    zh="它用厂家自己的协议，本系统还不会读。",
    en="It speaks a protocol of its own that this gateway does not read yet.",
)


def _closed(
    id: str,
    *,
    zh: str,
    en: str,
    names: tuple[str, ...],
    reason: Words,
    sources: tuple[str, ...],
    services: tuple[str, ...] = (),
    picture: str = "",
) -> Quirk:
    return Quirk(
        id=id,
        zh=zh,
        en=en,
        names=names,
        services=services,
        picture=picture,
        confidence=Confidence.UNSUPPORTED,
        reason=reason,
        sources=sources,
    )


CLOSED = (
    _closed(
        "locked_band",
        zh="小米、华为、华米手环",
        en="Xiaomi (Mi Band 4 and later), Huawei, Honor and Amazfit bands",
        names=LOCKED_BANDS,
        reason=Words(
            zh="数据由厂家的密钥加密，密钥只给厂家的应用。若手环能打开“心率广播”，请打开：这样可以读心率。",
            en="Its data are locked by a key that the maker's cloud gives to its own app alone. If "
            "the band can broadcast its heart rate, switch that on: that can be read.",
        ),
        sources=("gadgetbridge.org, huami-xiaomi-server (key from the vendor's cloud)",),
        picture="band",
    ),
    _closed(
        "sinocare",
        zh="三诺血糖仪",
        en="Sinocare glucose meters",
        names=("(?i)sinocare", "(?i)sino-"),
        reason=Words(
            zh="三诺只对持有其密钥的软件开放数据。请选用带标准蓝牙血糖服务的血糖仪。",
            en="Its maker opens it only to programs with a key of its own. Choose a meter with the "
            "standard Glucose Service.",
        ),
        sources=("Maton-spec/SinocareSDKDemo (keyed SDK); names on the air: unconfirmed",),
        picture="glucose_meter",
    ),
    _closed(
        "ihealth",
        zh="九安 iHealth",
        en="iHealth devices",
        names=("(?i)iHealth", "KN-550BT", "KD-(723|926)", r"BP(3L|5S?|7S?)\b", r"BG5S?\b"),
        reason=Words(
            zh="九安只对其自己的软件包开放数据，测量前要用密钥验证。",
            en="Its maker opens it only to its own software kit, which proves itself by a key.",
        ),
        sources=("iHealth SDK issue #8; names as the maker's kit lists them",),
    ),
    _closed(
        "omron_memory",
        zh="欧姆龙血压计（旧款，只用自己的协议）",
        en="Omron cuffs that hand over a copy of their memory (HEM-7322T, 7155T, 7361T, 7600T …)",
        names=("(?i)BLEsmart_",),
        services=("ECBE3980-C9A2-11E1-B1BD-0002A5D5C51B",),
        reason=Words(
            zh="这些型号要读写血压计的存储器，离校准数据很近；为了安全，本系统不这样做。",
            en="To read it means to write to the memory in which its calibration lies. This "
            "gateway never does that.",
        ),
        sources=("userx14/omblepy; eigger/hass-omron (unlock key, EEPROM)",),
        picture="cuff",
    ),
    _closed(
        "omron_secure",
        zh="欧姆龙血压计（新款加密型号）",
        en="Omron cuffs with a secured session (HEM-7382T1 …)",
        names=("(?i)BLEsmart_",),
        services=("FE4A",),
        reason=_OWN_PROTOCOL,
        sources=("eigger/hass-omron, secure_session (service FE4A)",),
        picture="cuff",
    ),
    _closed(
        "onetouch",
        zh="强生 OneTouch（Verio Flex、Reflect）",
        en="OneTouch Verio Flex, Verio Reflect",
        names=("(?i)OneTouch",),
        reason=_NOT_YET,
        sources=("NightscoutFoundation/xDrip, VerioHelper (acknowledged frames of its own)",),
        picture="glucose_meter",
    ),
    _closed(
        "microlife",
        zh="迈克大夫 Microlife",
        en="Microlife cuffs",
        names=("(?i)Microlife",),
        reason=_NOT_YET,
        sources=(
            "derdilla/blood-pressure-monitor-fl #654; joergmlpts/blood-pressure-monitor; "
            "name on the air: unconfirmed",
        ),
        picture="cuff",
    ),
    _closed(
        "yonker",
        zh="永康 Yonker YK 系列血压计",
        en="Yonker and Yongrow cuffs (YK-IBPA1, YK-BPA1, YK-BPW5)",
        names=(),
        services=("CDEACD80-5235-4C07-8846-93A37EE6B86D",),
        reason=_NOT_YET,
        sources=("derdilla/blood-pressure-monitor-fl #615",),
        picture="cuff",
    ),
    _closed(
        "taidoc_frames",
        zh="泰博 TaiDoc、福尔 FORA（只用自己的协议的型号）",
        en="TaiDoc and FORA models with eight-byte frames of their own",
        names=("TAIDOC", "FORA", "DIAMOND"),
        services=("00001523-1212-EFDE-1523-785FEABCD123",),
        reason=_NOT_YET,
        sources=("programs that speak to service 00001523-1212-… (TAIDOC TD8255, FORA)",),
    ),
    _closed(
        "dexcom",
        zh="德康 Dexcom 连续血糖仪",
        en="Dexcom continuous glucose monitors",
        names=("Dexcom", "DXCM"),
        reason=_OWN_PROTOCOL,
        sources=("NightscoutFoundation/xDrip (authentication by the transmitter's code)",),
        picture="cgm",
    ),
    _closed(
        "libre",
        zh="雅培瞬感 FreeStyle Libre",
        en="FreeStyle Libre",
        names=("ABBOTT", "(?i)FreeStyle"),
        reason=_OWN_PROTOCOL,
        sources=("NightscoutFoundation/xDrip (keys in the sensor); name: as reported by users",),
        picture="cgm",
    ),
)
