"""The catalogue as the workbook of the national template: in as drafts, out and in again unchanged."""

from __future__ import annotations

import pytest
import xlsxwriter
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hutong.control.catalogue import actions, description_file, fields, queries, rules
from hutong.control.catalogue.cli import resource as resource_cli
from hutong.control.catalogue.models import Item, Resource
from hutong.control.catalogue.template import reading, writing
from hutong.control.catalogue.template.actions import export_workbook, import_workbook
from hutong.control.catalogue.template.columns import COLUMNS, TEMPLATE, TYPES, heading
from hutong.control.identity.rules import OtherDepartment
from hutong.control.organisations.models import Department
from hutong.control.standards.shipped import shipped_elements
from hutong.exchange.sources.spec import SourceUnreadable
from hutong.ledger.models import AuditRecord
from hutong.vocabulary import codes
from hutong.vocabulary.codes import CodeList
from hutong.vocabulary.errors import NotAllowed
from tests.companies import COMPLETE, HEALTH, ITEMS, MARKET
from tests.conftest import HOME
from tests.publication import publish

pytestmark = pytest.mark.django_db
GUIDE = [one.heading for one in TEMPLATE]
FIRST = {
    "信息资源分类（类）": "基础信息资源",
    "信息资源分类（项）": "法人",
    "信息资源名称": "个体工商户",
    "信息资源提供方代码": MARKET,
    "信息资源摘要": "在本省登记的个体工商户",
    "信息资源格式": "数据库",
    "信息项名称": "字号名称",
    "数据类型": "字符型C(200)",
    "共享类型": "有条件共享",
    "共享条件": "市场监管部门",
    "共享方式": "服务接口、批量交换",
    "更新周期": "每日",
    "发布日期": "2026-01-01",
}


def workbook(folder, *rows, headings=None):
    """A workbook of rows, each {heading: text}; the guide's headings unless others are given."""
    named = headings or GUIDE
    path = folder / "catalogue.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, named)
        for number, row in enumerate(rows, start=1):
            for name, value in row.items():
                sheet.write(number, named.index(name), value)
    return path


def outcomes(made):
    return [(one.row, one.state) for one in made.taken]


def test_the_guides_columns_alone_make_a_draft(people, tmp_path):
    second = {"信息项名称": "成立日期", "数据类型": "日期型D"}
    made = import_workbook(people["officer"], workbook(tmp_path, FIRST, second))
    assert outcomes(made) == [(2, "drafted")]
    one = queries.resource(made.taken[0].resource_id)
    assert (one.state, one.title_zh, one.update_cycle) == ("draft", "个体工商户", "3")
    assert (one.category, one.theme, one.sharing_modes) == ("basic", "legal_entity", ["interface", "batch"])
    assert [(item.name, item.type) for item in queries.items_of(one)] == [("字号名称", "string"), ("成立日期", "date")]
    assert AuditRecord.objects.get(kind="catalogue.imported").detail["drafted"] == 1


def test_headings_in_two_rows_as_the_guide_prints_them_are_read(people, tmp_path):
    path = tmp_path / "guide.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "政务信息资源目录")
        sheet.write_row(2, 0, ["信息资源分类", "", "信息资源名称", "信息项信息", "", "共享属性", "", "备注"])
        sheet.write_row(3, 0, ["类", "项", "", "信息项名称", "数据类型", "共享类型", "共享条件", ""])
        sheet.write_row(5, 0, ["基础", "人口", "户籍人口", "姓名", "C", "不予共享", "《户口登记条例》第三条", "x"])
    made = import_workbook(people["officer"], path)
    assert (outcomes(made), made.ignored) == ([(6, "drafted")], ("备注",))
    one = Resource.objects.get()
    assert (one.attribute, one.legal_citation, one.conditions) == ("refused", "《户口登记条例》第三条", "")


@pytest.mark.parametrize(
    ("change", "row", "code"),
    [
        ({"更新周期": "偶尔"}, 2, "bad_cell"),
        ({"信息资源名称": "", "信息资源摘要": "x"}, 2, "bad_cell"),
        ({"信息资源代码": "12/x y"}, 2, "wrong_value"),
        ({"信息资源提供方代码": "11430000006122244X"}, 2, "provider_unknown"),
        ({"信息资源提供方代码": HEALTH}, 2, "other_department"),
        ({"信息资源名称": "机密名单"}, 2, "secret_label"),
        ({"信息资源摘要": "x" * 4001}, 2, "text_too_long"),
    ],
)
def test_a_bad_row_is_named_and_the_others_are_taken(people, tmp_path, change, row, code):
    good = FIRST | {"信息资源名称": "企业"}
    made = import_workbook(people["officer"], workbook(tmp_path, FIRST | change, good))
    assert outcomes(made) == [(row, "refused"), (3, "drafted")]
    assert made.taken[0].refusal.code == code
    assert Resource.objects.get().title_zh == "企业"


@pytest.mark.parametrize(
    ("item", "code"),
    [
        ({"信息项名称": "字号名称", "数据类型": "C"}, "item_twice"),
        ({"信息项名称": "照片", "数据类型": "图片"}, "bad_cell"),
        ({"信息项名称": "国家秘密事项"}, "secret_label"),
        ({"信息项名称": "x" * 121}, "text_too_long"),
    ],
)
def test_one_bad_item_keeps_its_whole_resource_out_and_its_row_is_named(people, tmp_path, item, code):
    made = import_workbook(people["officer"], workbook(tmp_path, FIRST, item))
    assert outcomes(made) == [(3, "refused")]
    assert made.taken[0].refusal.code == code
    assert (Resource.objects.count(), Item.objects.count()) == (0, 0)


def test_secrecy_gate_of_the_workbook_refuses_an_item_flagged_secret(people, tmp_path):
    headings = [*GUIDE, "涉密"]
    made = import_workbook(people["officer"], workbook(tmp_path, FIRST | {"涉密": "是"}, headings=headings))
    assert [one.refusal.code for one in made.taken] == ["secret_item"]
    assert not Resource.objects.exists()


def test_a_row_before_any_resource_and_a_workbook_without_headings_are_refused(people, tmp_path):
    made = import_workbook(people["officer"], workbook(tmp_path, {"信息项名称": "姓名"}, FIRST))
    assert outcomes(made) == [(2, "refused"), (3, "drafted")]
    with pytest.raises(reading.NotTheTemplate):
        import_workbook(people["officer"], workbook(tmp_path, headings=["甲", "乙"]))
    (tmp_path / "no.xlsx").write_bytes(b"PK\x03\x04 no workbook")
    with pytest.raises(SourceUnreadable):
        import_workbook(people["officer"], tmp_path / "no.xlsx")
    with pytest.raises(NotAllowed):
        import_workbook(people["auditor"], workbook(tmp_path, FIRST))


def test_repeated_cells_beside_each_item_are_one_resource(people, tmp_path):
    made = import_workbook(people["officer"], workbook(tmp_path, FIRST, FIRST | {"信息项名称": "地址"}))
    assert outcomes(made) == [(2, "drafted")]
    assert Resource.objects.get().items.count() == 2


def test_a_second_import_changes_nothing(people, published, tmp_path):
    actions.describe(people["officer"], published.id, {"title_en": "Companies of Jiangsu"})
    publish(people["head"], published.id)
    path = tmp_path / "out.xlsx"
    assert export_workbook(path) == 1
    records = AuditRecord.objects.count()
    assert outcomes(import_workbook(people["officer"], path)) == [(2, "unchanged")]
    assert AuditRecord.objects.count() == records + 1, "of the import alone"
    assert queries.resource(published.id).changed_at is None


def test_an_import_changes_what_is_here_and_starts_its_clock(people, published, tmp_path):
    headings = [*GUIDE, "资源标识"]
    known = {"信息资源名称": "企业名录", "资源标识": published.id}
    made = import_workbook(people["officer"], workbook(tmp_path, known, headings=headings))
    assert outcomes(made) == [(2, "changed")]
    one = queries.resource(published.id)
    assert (one.title_zh, one.items.count(), one.changed_at is not None) == ("企业名录", 3, True)


def test_a_code_is_given_once(people, tmp_path):
    coded = FIRST | {"信息资源代码": "102001/000007"}
    import_workbook(people["officer"], workbook(tmp_path, coded))
    drafted = import_workbook(people["officer"], workbook(tmp_path, FIRST)).taken[0].resource_id
    with pytest.raises(rules.CodeTaken):
        actions.describe(people["officer"], drafted, {"code": "102001/000007"})
    made = import_workbook(people["officer"], workbook(tmp_path, coded | {"信息资源摘要": "新的摘要"}))
    assert outcomes(made) == [(2, "changed")]
    assert Resource.objects.get(code="102001/000007").summary_zh == "新的摘要"


def test_the_code_has_class_item_branch_and_twig(people, registered):
    drafted = actions.draft_resource(people["officer"], registered.id)
    actions.describe(people["officer"], drafted.id, COMPLETE | {"branch": "023", "twig": "45"}, ITEMS)
    assert publish(people["head"], drafted.id).dataset["hutong:entry"]["code"] == "10202345/000001"
    with pytest.raises(fields.WrongValue):
        actions.describe(people["officer"], drafted.id, {"branch": "1"})


def test_an_imported_draft_gets_its_source_and_is_published(people, registered, tmp_path):
    headings = [*GUIDE, "信息项代码", "来源信息系统", "可用于的用途"]
    rows = [
        FIRST | {"信息项代码": "uscc", "来源信息系统": "登记系统", "可用于的用途": "行政监管和执法"},
        {"信息项名称": "企业名称", "信息项代码": "company", "数据类型": "字符型C"},
    ]
    made = import_workbook(people["officer"], workbook(tmp_path, *rows, headings=headings))
    resource_id = made.taken[0].resource_id
    with pytest.raises(rules.PublishRefused, match="source"):
        actions.submit(people["head"], resource_id)
    with pytest.raises(OtherDepartment):
        actions.attach(people["other"], resource_id, registered.id)
    actions.attach(people["officer"], resource_id, registered.id)
    assert publish(people["head"], resource_id).version == 1


TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs", "Cf")), max_size=20).map(str.strip)
LINES = st.lists(TEXT, max_size=3).map("\n".join).map(str.strip)
WORDS = st.lists(TEXT.filter(bool), max_size=3, unique=True)


def one_of(known):
    return st.sampled_from(["", *known.codes])


def some_of(known, most):
    return st.lists(st.sampled_from(known.codes), max_size=most, unique=True)


VALUES = {
    "keywords": WORDS,
    "related": WORDS,
    "sharing_modes": some_of(codes.SHARING_MODES, 3),
    "permitted_purposes": some_of(codes.PURPOSES, 4),
    "branch": st.sampled_from(["", "001", "123"]),
    "twig": st.sampled_from(["", "0", "0456"]),
    "code": st.just(""),
    "area_code": st.sampled_from(["", "320000"]),
    "national_level": st.sampled_from(codes.NATIONAL_LEVELS.codes),
}
ELEMENTS = CodeList((one.name, one.title_zh, one.title_en) for one in shipped_elements())
MASKS = st.sampled_from([{"action": "keep"}, {"action": "first", "n": 2}, {"action": "null"}])
ITEM = st.fixed_dictionaries({
    "title_zh": TEXT, "title_en": TEXT, "element": one_of(ELEMENTS), "attribute": one_of(codes.ATTRIBUTES),
    "grade": st.sampled_from(codes.GRADES), "sensitive": st.booleans(), "nullable": st.booleans(), "key": st.booleans(),
    "mask": MASKS, "note": TEXT, "type": st.sampled_from(["string", "int64", "date", "bool", "timestamp", "double"]),
})  # fmt: skip


def value_of(field):
    if field.name in VALUES:
        return VALUES[field.name]
    return one_of(field.codes) if field.codes else (LINES if field.lines else TEXT)


DESCRIPTION = st.fixed_dictionaries({name: value_of(field) for name, field in fields.RESOURCE_FIELDS.items()})


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(DESCRIPTION, st.lists(ITEM, max_size=3)), min_size=1, max_size=3))
def test_out_and_in_again_every_description_is_the_same(tmp_path_factory, drawn):
    office = Department.objects.get_or_create(code=MARKET, defaults={"name_zh": "市场监督管理局"})[0]
    path = tmp_path_factory.mktemp("round") / "out.xlsx"
    Resource.objects.all().delete()
    for number, (described, items) in enumerate(drawn):
        said = described | {"title_zh": described["title_zh"] or "名称"}
        if said["attribute"] == "refused":  # the guide writes its grounds where conditions stand
            said["conditions"] = ""
        one = Resource.objects.create(id=f"r{number}", department=office, **said)
        for position, item in enumerate(items):
            Item.objects.create(resource=one, position=position, name=f"i{position}", **item)
    before = [description_file.document(one, queries.items_of(one)) for one in Resource.objects.order_by("id")]
    assert writing.write(path, Resource.objects.order_by("id")) == len(before)
    sheet = reading.read(path, ELEMENTS)
    assert (sheet.ignored, [one.refusal for one in sheet.resources]) == ((), [None] * len(before))
    blank = description_file.document(Resource(), [])
    blank_item = {name: getattr(Item(), name) for name in fields.ITEM_FIELDS}
    after = [
        blank | fields.read_resource(one.fields) | {"items": [blank_item | read_item(item) for item in one.items]}
        for one in sheet.resources
    ]
    assert [whole(one) for one in after] == [whole(one) for one in before]


def read_item(item):
    fixed = {"name": item["name"], "type": item["type"]}
    return fixed | fields.read_item({name: said for name, said in item.items() if name not in fixed}, "item")


def whole(document):
    """A mask that keeps is no mask."""
    items = [one | {"mask": one["mask"] or {"action": "keep"}} for one in document["items"]]
    return document | {"items": items}


def test_every_field_of_a_description_has_its_column_and_every_heading_one_meaning():
    held = {(one.of_item, one.name) for one in COLUMNS}
    assert {name for of_item, name in held if not of_item} >= set(fields.RESOURCE_FIELDS)
    assert {name for of_item, name in held if of_item} == {"name", "type", *fields.ITEM_FIELDS}
    assert all(heading(one.heading) is one for one in COLUMNS)
    spoken = [word for one in COLUMNS for word in (one.heading, *one.aliases)]
    assert len(spoken) == len(set(spoken))
    assert set(TYPES) == {"string", "int64", "decimal", "double", "date", "timestamp", "bool"}


def test_by_command_line(people, published, tmp_path):
    def run(*arguments):
        done = CliRunner().invoke(resource_cli, [str(one) for one in arguments], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    assert "1 resource" in run("export", HOME, tmp_path / "out.xlsx")
    assert "0 drafted, 0 changed, 1 unchanged, 0 refused" in run("import", HOME, tmp_path / "out.xlsx", "--as", "wang")
    bad = workbook(tmp_path, FIRST | {"更新周期": "偶尔"})
    assert "row 2" in run("import", HOME, bad, "--as", "wang")
