"""The State Council's notices of holidays, read as published; the published package is the judge of every day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from hutong.vocabulary.calendar import PUBLISHED
from hutong.vocabulary.errors import Refused
from hutong.vocabulary.holiday_notice import (
    NoticeContradicts,
    NoticeNotUnderstood,
    NoticePartial,
    NoticeYearUnknown,
    looks_like_notice,
    read_notice,
)

# The notices of eight years: every form in which days have been arranged.
NOTICES = {
    2008: """
国务院办公厅关于2008年部分节假日安排的通知
一、元旦：2007年12月30日－2008年1月1日放假，共3天。其中，1月1日（星期二）为法定节假日，12月30日（星期日）为公休日，12月29日（星期六）公休日调至12月31日（星期一），12月29日（星期六）上班。
二、春节：2月6日－12日（农历除夕至正月初六）放假，共7天。其中，2月6日（除夕）、2月7日（春节）、2月8日（正月初二）为法定节假日，2月9日（星期六）、2月10日（星期日）照常公休，2月2日（星期六）、2月3日（星期日）两个公休日调至2月11日（星期一）、2月12日（星期二），2月2日（星期六）、2月3日（星期日）上班。
三、清明节：4月4日－6日放假，共3天。其中，4月4日（清明节）为法定节假日，4月5日（星期六）、4月6日（星期日）照常公休。
四、“五一”国际劳动节：5月1日－3日放假，共3天。其中，5月1日为法定节假日，5月3日（星期六）为公休日，5月4日（星期日）公休日调至5月2日（星期五），5月4日（星期日）上班。
五、端午节：6月7日－9日放假，共3天。其中，6月7日（星期六）照常公休，6月8日（农历五月初五，端午节）为法定节假日，6月8日（星期日）公休日调至6月9日（星期一）。
六、中秋节：9月13日－15日放假，共3天。其中，9月13日（星期六）为公休日，9月14日（农历八月十五，中秋节）为法定节假日，9月14日（星期日）公休日调至9月15日（星期一）。
七、国庆节：9月29日－10月5日放假，共7天。其中，10月1日、2日、3日为法定节假日，10月4日（星期六）、10月5日（星期日）照常公休，9月27日（星期六）、9月28日（星期日）两个公休日调至9月29日（星期一）、30日（星期二），9月27日（星期六）、9月28日（星期日）上班。
""",
    2012: """
国务院办公厅关于2012年部分节假日安排的通知
一、元旦：2012年1月1日至3日放假调休，共3天。2011年12月31日（星期六）上班。
二、春节：1月22日至28日放假调休，共7天。1月21日（星期六）、1月29日（星期日）上班。
三、清明节：4月2日至4日放假调休，共3天。3月31日（星期六）、4月1日（星期日）上班。
四、劳动节：4月29日至5月1日放假调休，共3天。4月28日（星期六）上班。
五、端午节：6月22日至24日放假公休，共3天。
六、中秋节、国庆节：9月30日至10月7日放假调休，共8天。9月29日（星期六）上班。
""",
    2017: """
国务院办公厅关于2017年部分节假日安排的通知
一、元旦：1月1日放假，1月2日（星期一）补休。
二、春节：1月27日至2月2日放假调休，共7天。1月22日（星期日）、2月4日（星期六）上班。
三、清明节：4月2日至4日放假调休，共3天。4月1日（星期六）上班。
四、劳动节：5月1日放假，与周末连休。
五、端午节：5月28日至30日放假调休，共3天。5月27日（星期六）上班。
六、中秋节、国庆节：10月1日至8日放假调休，共8天。9月30日（星期六）上班。
""",
    2019: """
国务院办公厅关于2019年部分节假日安排的通知
一、元旦：2018年12月30日至2019年1月1日放假调休，共3天。2018年12月29日（星期六）上班。
二、春节：2月4日至10日放假调休，共7天。2月2日（星期六）、2月3日（星期日）上班。
三、清明节：4月5日放假，与周末连休。
四、劳动节：5月1日至4日放假调休，共4天。4月28日（星期日）、5月5日（星期日）上班。
五、端午节：6月7日放假，与周末连休。
六、中秋节：9月13日放假，与周末连休。
七、国庆节：10月1日至7日放假调休，共7天。9月29日（星期日）、10月12日（星期六）上班。
""",
    2023: """
国务院办公厅关于2023年部分节假日安排的通知
一、元旦：2022年12月31日至2023年1月2日放假调休，共3天。
二、春节：1月21日至27日放假调休，共7天。1月28日（星期六）、1月29日（星期日）上班。
三、清明节：4月5日放假，共1天。
四、劳动节：4月29日至5月3日放假调休，共5天。4月23日（星期日）、5月6日（星期六）上班。
五、端午节：6月22日至24日放假调休，共3天。6月25日（星期日）上班。
六、中秋节、国庆节：9月29日至10月6日放假调休，共8天。10月7日（星期六）、10月8日（星期日）上班。
""",
    2024: """
国务院办公厅关于2024年部分节假日安排的通知
一、元旦：1月1日放假，与周末连休。
二、春节：2月10日至17日放假调休，共8天。2月4日（星期日）、2月18日（星期日）上班。鼓励各单位结合带薪年休假等制度落实，安排职工在除夕（2月9日）休息。
三、清明节：4月4日至6日放假调休，共3天。4月7日（星期日）上班。
四、劳动节：5月1日至5日放假调休，共5天。4月28日（星期日）、5月11日（星期六）上班。
五、端午节：6月10日放假，与周末连休。
六、中秋节：9月15日至17日放假调休，共3天。9月14日（星期六）上班。
七、国庆节：10月1日至7日放假调休，共7天。9月29日（星期日）、10月12日（星期六）上班。
""",
    2025: """
国务院办公厅关于2025年部分节假日安排的通知
一、元旦：1月1日（周三）放假1天，不调休。
二、春节：1月28日（农历除夕、周二）至2月4日（农历正月初七、周二）放假调休，共8天。1月26日（周日）、2月8日（周六）上班。
三、清明节：4月4日（周五）至6日（周日）放假，共3天。
四、劳动节：5月1日（周四）至5日（周一）放假调休，共5天。4月27日（周日）上班。
五、端午节：5月31日（周六）至6月2日（周一）放假，共3天。
六、国庆节、中秋节：10月1日（周三）至8日（周三）放假调休，共8天。9月28日（周日）、10月11日（周六）上班。
""",
    2026: """
国务院办公厅关于2026年部分节假日安排的通知
国办发明电〔2025〕7号
各省、自治区、直辖市人民政府，国务院各部委、各直属机构：
　　经国务院批准，现将2026年元旦、春节、清明节、劳动节、端午节、中秋节和国庆节放假调休日期的具体安排通知如下。
　　一、元旦：1月1日（周四）至3日（周六）放假调休，共3天。1月4日（周日）上班。
　　二、春节：2月15日（农历腊月二十八、周日）至23日（农历正月初七、周一）放假调休，共9天。2月14日（周六）、2月28日（周六）上班。
　　三、清明节：4月4日（周六）至6日（周一）放假，共3天。
　　四、劳动节：5月1日（周五）至5日（周二）放假调休，共5天。5月9日（周六）上班。
　　五、端午节：6月19日（周五）至21日（周日）放假，共3天。
　　六、中秋节：9月25日（周五）至27日（周日）放假，共3天。
　　七、国庆节：10月1日（周四）至7日（周三）放假调休，共7天。9月20日（周日）、10月10日（周六）上班。
　　节假日期间，各地区、各部门要妥善安排好值班和安全、保卫、疫情防控等工作，遇有重大突发事件，要按规定及时报告并妥善处置，确保人民群众祥和平安度过节日假期。
国务院办公厅
2025年11月4日
""",
}
NOTICE_2026 = NOTICES[2026]


def days_of(year: int) -> list[date]:
    return [date(year, 1, 1) + timedelta(days=step) for step in range((date(year, 12, 31) - date(year, 1, 1)).days + 1)]


@pytest.mark.parametrize("year", NOTICES)
def test_a_notice_gives_the_published_calendar_on_every_day(year):
    notice = read_notice(NOTICES[year])
    assert notice.year == year
    next_new_year = (
        {day: works for day, works in read_notice(NOTICES[year + 1]).days.items() if day.year == year}
        if (year + 1 in NOTICES)
        else {}
    )
    arranged = notice.days | next_new_year
    for day in days_of(year):
        works = arranged.get(day, day.weekday() < 5)
        assert works == PUBLISHED.works(day), day


def test_days_of_a_neighbouring_year_are_read_too():
    assert read_notice(NOTICES[2019]).days[date(2018, 12, 29)] is True
    assert read_notice(NOTICES[2023]).days[date(2022, 12, 31)] is False
    assert read_notice(NOTICES[2012]).days[date(2011, 12, 31)] is True


def test_advice_about_a_day_changes_nothing():
    assert date(2024, 2, 9) not in read_notice(NOTICES[2024]).days


def test_a_notice_on_one_line_or_without_its_title_is_the_same_notice():
    without_title = NOTICE_2026[NOTICE_2026.index("一、") :]
    assert read_notice("".join(NOTICE_2026.split())) == read_notice(NOTICE_2026)
    assert read_notice(without_title, year=2026) == read_notice(NOTICE_2026)
    with pytest.raises(NoticeYearUnknown, match="not said"):
        read_notice(without_title)
    with pytest.raises(NoticeYearUnknown, match="2026 by its title, not 2027"):
        read_notice(NOTICE_2026, year=2027)
    with pytest.raises(NoticeYearUnknown, match="twice"):
        read_notice(NOTICE_2026 + NOTICES[2025])


def test_a_table_is_no_notice():
    assert looks_like_notice(NOTICE_2026)
    assert not looks_like_notice("date,kind\n2027-01-01,holiday\n")


WRONG = """
as published                     | as found                          | what is said
1月1日（周四）                   | 1月1日（周五）                    | 2026-01-01 is a Thursday, not 星期五
1月4日（周日）上班               | 1月5日上班                        | 2026-01-05 is no Saturday or Sunday
1月4日（周日）上班               | 1月3日（周六）上班                | 2026-01-03 is both off and worked
放假调休，共9天                  | 放假调休，共8天                   | it says 8 days and names 9
2月28日（周六）上班              | 2月30日上班                       | there is no 2月30日
5月5日（周二）放假调休，共5天    | 9月5日放假调休，共5天             | 2026-05-01 to 2026-09-05 is no span of days
6月19日（周五）至21日（周日）放假，共3天 | 6月17日放假，与周末连休   | does not adjoin a weekend
10月1日（周四）至7日（周三）放假调休，共7天 | 10月2日（周五）至7日（周三）放假调休，共6天 | 2026-10-01 is not off
4月4日（周六）                   | 2024年4月4日                      | 2024-04-04 is not of 2026
"""


@pytest.mark.parametrize("line", WRONG.strip().split("\n")[1:])
def test_a_notice_that_contradicts_the_calendar_or_itself_is_refused_with_its_sentence(line):
    published, found, said = (part.strip() for part in line.split("|"))
    broken = (
        NOTICE_2026.replace(published, found)
        if published in NOTICE_2026
        else NOTICE_2026.replace(published.replace("5月5日", "5日"), found)
    )
    assert broken != NOTICE_2026
    with pytest.raises(NoticeContradicts, match=said) as refused:
        read_notice(broken)
    assert refused.value.parameters["sentence"]


@pytest.mark.parametrize("sentence", ["1月4日（周日）另行安排", "1月4日起正常办公并上班", "1月4日"])
def test_a_sentence_about_days_that_is_not_understood_is_named(sentence):
    with pytest.raises(NoticeNotUnderstood, match=sentence) as refused:
        read_notice(NOTICE_2026.replace("1月4日（周日）上班", sentence))
    assert sentence in refused.value.say("zh")


def test_a_part_of_a_year_is_refused_naming_what_is_missing():
    half = NOTICE_2026[: NOTICE_2026.index("五、端午节")]
    with pytest.raises(NoticePartial, match="端午节, 中秋节, 国庆节"):
        read_notice(half)
    with pytest.raises(NoticePartial):
        read_notice("国务院办公厅关于2027年部分节假日安排的通知")


def test_an_item_without_any_day_is_not_understood():
    with pytest.raises(NoticeNotUnderstood, match="端午节"):
        read_notice(NOTICE_2026.replace("6月19日（周五）至21日（周日）放假，共3天。", "另行通知。"))


@pytest.mark.parametrize(
    "text", ["", "一、：", "一、元旦：" + "（" * 5000, "一、元旦：" + "1日至" * 5000, "\x00二、\u3000春节："]
)
def test_odd_texts_are_refused_quickly(text):
    with pytest.raises(Refused):
        read_notice(text, year=2027)
