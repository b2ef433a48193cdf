"""The offices of a city that does not exist (示范市). Its areas begin with 99, its telephone numbers ring nowhere.

Area codes are those of the citizens' ID numbers; a local number that begins with 0 is given to nobody in China.
"""

from __future__ import annotations

from bureau.shapes import Office

AREAS = {"990101": "东城区", "990102": "西湖区", "990103": "南山区", "990121": "北乡县", "990181": "新港市"}
"""The areas where citizens live, by their codes."""

_HOURS = "周一至周五，上午八点半到十二点，下午一点半到五点"
_SHORT = "周一至周五，上午九点到十二点"


def _office(number: str, area: str, name: str, address: str, hours: str = _HOURS) -> Office:
    return Office(
        id=f"{area}{number}",
        name=f"{AREAS[area]}{name}",
        address=f"示范市{AREAS[area]}{address}",
        hours=hours,
        telephone=f"05710000{area[-2:]}{number}",
        area=area,
    )


OFFICES = (
    _office("01", "990101", "社会保险服务中心", "人民路一号"),
    _office("02", "990101", "社会保障卡制卡点", "解放街二十六号"),
    _office("03", "990101", "朝阳街道便民服务站", "朝阳街七号", _SHORT),
    _office("01", "990102", "社会保险服务中心", "湖滨路十八号"),
    _office("02", "990102", "社会保障卡制卡点", "文三街九十号"),
    _office("03", "990102", "翠苑街道便民服务站", "翠苑路三号", _SHORT),
    _office("01", "990103", "社会保险服务中心", "学府路五号"),
    _office("02", "990103", "科技园便民服务站", "科苑路十二号", _SHORT),
    _office("01", "990121", "社会保险服务中心", "县前街二号"),
    _office("02", "990121", "河口镇便民服务站", "河口镇中街四十号", _SHORT),
    _office("01", "990181", "社会保险服务中心", "港城大道六十六号"),
    _office("02", "990181", "社会保障卡制卡点", "建设路十一号"),
)
"""The nearest first within each area."""
