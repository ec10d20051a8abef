"""Which number an answer ends with, however it is written and in whatever sentence it stands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llmeval_metrics.number_parsing import find_number, last_number
from llmeval_metrics.numeric_match import NumericSettings, make_numeric_match

from llmeval_core.hooks import Score
from llmeval_core.testing import make_generation, make_sample


def assert_reads(text: str, number: float | None) -> None:
    read = last_number(text)

    assert read == (None if number is None else pytest.approx(number, rel=1e-12))


# The inputs of the case a03-numbers.
@pytest.mark.parametrize(
    ("text", "number"),
    [
        (r"\boxed{$9{,}500}", 9500),
        (r"The answer is $9{,}500.", 9500),
        (r"9\,500", 9500),
        ("Le total est 1 234 euros", 1234),
        ("Total: 1\u00a0234", 1234),
        ("Das macht 1.234,5 Euro", 1234.5),
        ("The total is 1,00,000 rupees", 100_000),
        (r"\boxed{42} (verified in 3 ways)", 42),
        ("The answer is –5", -5),
        ("1.2 × 10^3", 1200),
        ("2 1/2", 2.5),
        ("答えは3万円です", 30_000),
    ],
)
def test_numbers_are_read_as_they_are_meant_a03_numbers(text: str, number: float) -> None:
    assert_reads(text, number)


# The inputs of the case p2-negative-after-kana.
@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("答えは-53です。", -53),
        ("答えは−5です", -5),
        ("答えは－５です。", -5),
        ("気温は-3.5℃", -3.5),
        ("約-3", -3),
        ("x=-5", -5),
        ("x = -5", -5),
        ("答え：-5", -5),
        ("A-5", 5),
        ("10-20", 20),
        ("$-5", -5),
        ("-$5", -5),
        ("1 1/2", 1.5),
        ("3½", 3.5),
        ("½", 0.5),
        ("3分の2", 2 / 3),
        ("12万", 120_000),
        ("1億", 100_000_000),
        ("1_000", 1000),
    ],
)
def test_a_minus_belongs_to_its_number_p2_negative_after_kana(text: str, number: float) -> None:
    assert_reads(text, number)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("답은-5입니다", -5),
        ("答案是-5。", -5),
        ("الجواب-5", -5),
        ("คำตอบคือ-5", -5),
        ("उत्तर-5", -5),
        ("【答え】-5", -5),
        ("（答え）-5", -5),
        ("**-5**", -5),
        ("x=3のとき-5", -5),
        ("is minus 5", -5),
        ("negative 5", -5),
        ("答えはマイナス5です", -5),
        ("零下5度", -5),
        ("△5%", -5),
        ("US$-5", -5),
        ("x = - 5", -5),
        ("− 5", -5),
        (r"\left(-5\right)", -5),
        (r"x\approx-5", -5),
        (r"\boxed{- 5}", -5),
        (r"$-\boxed{5}$", -5),
        (r"$x-\boxed{5}$", 5),
        ("$- 5$", -5),
        ("The answer is - 5", -5),
        ("答えは - 5", -5),
        ("Es sind minus 5 Grad", -5),
        ("&minus;5", -5),
        ("-½", -0.5),
        ("GPT-4", 4),
        ("Ту-154", 154),
        ("é-5", 5),
        ("f(x)-5", 5),
        ("3–5", 5),
        ("10 - 20", 20),
        ("5%-10%", 10),
        ("3円-5円", 5),
        ("3月−5月", 5),
        ("20℃-30℃", 30),
        ("10 minus 5", 5),
        ("10マイナス5", 5),
        ("- 5 apples", 5),
        ("2024-01-15", 15),
    ],
)
def test_a_dash_is_a_sign_only_where_it_stands_between_no_two_things(
    text: str, number: float
) -> None:
    assert_reads(text, number)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1.234.567,89", 1_234_567.89),
        ("12,34,567", 1_234_567),
        ("1’234’567.50", 1_234_567.5),
        ("0,5", 0.5),
        ("0,125", 0.125),
        ("3,5 Euro", 3.5),
        ("Es kostet 3,50 €.", 3.5),
        ("Die Antwort ist 3,5.", 3.5),
        ("1,2 × 10^3", 1200),
        (r"9{\,}500", 9500),
        (r"9\text{,}500", 9500),
        (r"9,\!500", 9500),
        (r"\frac{-3}{4}", -0.75),
        (r"-2\frac{1}{2}", -2.5),
        (r"\frac12", 0.5),
        (r"{1 \over 2}", 0.5),
        (r"0.\overline{3}", 1 / 3),
        (r"1.2\overline{45}", 1.2454545454545454),
        ("3,1416", 3.1416),
        ("1&nbsp;234", 1234),
        ("7⁄8", 7 / 8),
        ("3と2分の1", 3.5),
        ("100万分の1", 1e-6),
        ("1.5億", 150_000_000),
        ("3万5千円", 35_000),
        ("1億2000万", 120_000_000),
        ("1억 2000만 원", 120_000_000),
        ("3亿", 300_000_000),
        ("1.5 billion", 1.5e9),
        ("3 Millionen", 3e6),
        ("5 crore", 5e7),
        ("1.2*10**-3", 0.0012),
        ("10⁻³", 0.001),
        ("2^10", 1024),
        ("-2^{2}", -4),
        ("٤٢", 42),
        ("١٬٢٣٤٫٥", 1234.5),
        ("١،٢٣٤", 1234),
        ("४२", 42),
        ("⑤", 5),
        (".5", 0.5),
        ("No.5", 5),
        ("25㎡", 25),
        ("25 m2", 25),
        ("25 m/s²", 25),
        ("It costs US$5 for one", 5),
        ("USD42", 42),
        ("1\u200b234", 1234),
        ("\u200e-5", -5),
    ],
)
def test_other_ways_to_write_a_number_are_read(text: str, number: float) -> None:
    assert_reads(text, number)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1,234", 1234),  # not 1.234
        ("1.234", 1.234),  # not 1234
        ("10,20", 20),  # two numbers: nothing says that they are one
        ("(3,4)", 4),
        ("1, 2, 3", 3),
        ("1 2 3 100", 100),
        ("in 2020 300 people", 300),
        ("1/2/2024", 2024),
        ("2만큼", 2),
        ("v1.2.3", None),
        ("v1.2.3 with 5", 5),
        ("3/0", None),
        ("二分の一", None),
        ("Water is H2O", 2),
        ("5 litres of H2O", 5),
    ],
)
def test_what_is_ambiguous_is_read_as_the_docs_say(text: str, number: float | None) -> None:
    assert_reads(text, number)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (r"\boxed{41}, no, \boxed{\frac{3}{4}}, checked 2 times", 0.75),
        (r"\boxed{\text{unknown}}, about 7", 7),
        (r"\boxed{} 7", 7),
        (r"\boxed{x = -5} or 6", -5),
        (r"\boxed{3\text{ m}^2}", 3),
        (r"\boxed{1} #### 2", 2),
        ("#### 18\nand 99", 18),
        ("#### $1,200\nand 99", 1200),
        ("#### 1. Understand\n#### 2. Compute\nIt is 42", 42),
        ("#### Step 1\nIt is 42", 42),
    ],
)
def test_a_marked_number_goes_before_a_later_one(text: str, number: float) -> None:
    assert_reads(text, number)


# --- any number, in any of these ways, in any of these sentences

SENTENCES = (
    "{}", "The answer is {}.", "答えは{}です。", "答案是{}。", "정답은 {}입니다", "Die Antwort: {}",
    "La réponse est {} !", "الجواب هو {}", "उत्तर {} है", "คำตอบคือ {} ครับ", "Ответ: {}",
    "x = {}", "(**{}**)", "「{}」", "First 7, then\n{}\n", r"$x = {}$",
    r"so \boxed{{{}}} in 3 ways",
    "a \u200b{}\ufeff", "合計：{}円", "<answer>{}</answer>",
)  # fmt: skip
SIGNS = ("-", "−", "－", "–", "‑")
GROUPINGS = (",", " ", "\u00a0", "\u202f", "\u2009", "'", "’", "_", "{,}", r"\,", r"\;", r",\!")
DIGITS = tuple("".join(chr(zero + n) for n in range(10)) for zero in (0x30, 0xFF10, 0x660, 0x966))


@given(
    st.sampled_from(SENTENCES),
    st.booleans(),
    st.sampled_from(SIGNS),
    st.integers(0, 10**12),
    st.sampled_from(GROUPINGS),
)
def test_whole_numbers_come_back(
    sentence: str, negative: bool, sign: str, number: int, grouping: str
) -> None:
    written = f"{number:,}".replace(",", grouping)

    read = find_number(sentence.format((sign if negative else "") + written))

    assert read is not None
    assert read.value == (-number if negative else number)
    assert read.digits == (f"-{number}" if negative else str(number))


@given(
    st.sampled_from(SENTENCES),
    st.booleans(),
    st.integers(0, 10**9),
    st.integers(0, 99_999),
    st.sampled_from([(",", "."), (".", ","), ("\u202f", ","), ("'", "."), ("", ".")]),
)
def test_decimals_come_back(
    sentence: str, negative: bool, whole: int, decimals: int, marks: tuple[str, str]
) -> None:
    group, point = marks
    if point == "," and 0 < whole < 1000:
        whole += 1000  # a lone comma is ambiguous
    written = f"{whole:,}".replace(",", group) + f"{point}{decimals:05}"

    assert_reads(
        sentence.format(("-" if negative else "") + written),
        float(f"{'-' if negative else ''}{whole}.{decimals:05}"),
    )


@given(st.sampled_from(SENTENCES), st.integers(-(10**6), 10**6), st.sampled_from(DIGITS))
def test_digits_of_other_scripts_come_back(sentence: str, number: int, digits: str) -> None:
    written = str(number).translate({ord("0") + n: digit for n, digit in enumerate(digits)})

    assert_reads(sentence.format(written), number)


@given(
    st.sampled_from(SENTENCES),
    st.sampled_from(["", "-", "−"]),
    st.integers(0, 50),
    st.tuples(st.integers(1, 49), st.integers(50, 99)),
    st.sampled_from(["{1}/{2}", r"\frac{{{1}}}{{{2}}}", r"\dfrac{{{1}}}{{{2}}}", "{2}分の{1}"]),
)
def test_fractions_and_mixed_numbers_come_back(
    sentence: str, sign: str, whole: int, fraction: tuple[int, int], form: str
) -> None:
    over, under = fraction
    between = {"{1}": " ", "{2}": "と"}.get(form[:3], "") if whole else ""
    written = sign + (str(whole) if whole else "") + between + form.format(0, over, under)

    assert_reads(sentence.format(written), (whole + over / under) * (-1 if sign else 1))


@given(
    st.sampled_from(SENTENCES),
    st.integers(-9999, 9999),
    st.integers(-12, 12),
    st.sampled_from(["{}e{}", "{}E{}", "{} × 10^{}", r"{} \times 10^{{{}}}", "{}*10**{}"]),
)
def test_powers_of_ten_come_back(sentence: str, mantissa: int, exponent: int, form: str) -> None:
    written = form.format(mantissa / 100, exponent)

    assert_reads(sentence.format(written), mantissa / 100 * 10.0**exponent)


@given(
    st.sampled_from(SENTENCES),
    st.booleans(),
    st.lists(
        st.sampled_from([("兆", 10**12), ("億", 10**8), ("万", 10**4), ("千", 10**3)]),
        min_size=1,
        unique=True,
    ),
    st.integers(1, 9),
)
def test_japanese_units_come_back(
    sentence: str, negative: bool, units: list[tuple[str, int]], factor: int
) -> None:
    ordered = sorted(units, key=lambda unit: -unit[1])
    written = "".join(f"{factor}{unit}" for unit, _ in ordered)
    number = sum(factor * size for _, size in ordered)

    assert_reads(
        sentence.format(("-" if negative else "") + written), -number if negative else number
    )


@given(st.text(max_size=60))
def test_any_text_is_read_without_an_exception(text: str) -> None:
    last_number(text)


@given(st.text(alphabet="0123456789.,/-−^{}\\frac 万千百分のと×eE½²#\n$%'_boxed", max_size=40))
def test_any_jumble_of_numbers_is_read_without_an_exception(text: str) -> None:
    last_number(text)


# Quadratic time would take minutes here.
@pytest.mark.parametrize(
    "unit",
    ["1,", "1.", "1'", "1億", "1億 ", "½", "{,}", r"\,", "$", "1\n", "5^{", "1 × 10^", "と1分の",
     "x1", r"\frac{1}", "１", "-1", "#### 1\n", "#### ", r"\boxed{1", "a", "1²", "- "],
)  # fmt: skip
def test_endless_repetition_is_read_in_linear_time(unit: str) -> None:
    last_number("A" + unit * (200_000 // len(unit)) + "x")


# --- the metric


@pytest.mark.parametrize(
    ("answer", "reference", "tolerance", "right"),
    [
        ("1000000", "1000001", 1e-6, 0.0),
        ("12345678901234567890", "12345678901234567891", 1e-6, 0.0),
        ("12345678901234567890", "12,345,678,901,234,567,890", 1e-6, 1.0),
        ("18.0", "18", 1e-6, 1.0),
        ("0.333333333", "1/3", 1e-6, 1.0),
        ("101", "100", 0.02, 1.0),
    ],
)
def test_whole_numbers_are_equal_in_every_digit(
    answer: str, reference: str, tolerance: float, right: float
) -> None:
    metric = make_numeric_match(NumericSettings(tolerance=tolerance))

    score = metric.score(make_sample(references=(reference,)), make_generation(answer))

    assert isinstance(score, Score)
    assert score.value == right


def test_the_definition_says_that_numbers_are_read_in_another_way_than_before() -> None:
    assert make_numeric_match(NumericSettings()).definition == "numeric_match@last-2"
