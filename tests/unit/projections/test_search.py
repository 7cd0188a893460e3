"""What is typed finds what is called so, whatever its case, marks and punctuation."""

from unicodedata import normalize
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from projections.assets.clear import Words
from projections.assets.search import LONGEST_TERM, MOST_TERMS, search_query, sought, tag_term, terms

OWNER = UUID(int=1)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=80)
WORDS = st.builds(
    Words,
    file_name=TEXTS,
    title=st.none() | TEXTS,
    description=st.none() | TEXTS,
    tags=st.lists(TEXTS.filter(str.strip), max_size=4).map(tuple),
)


def test_words_are_cut_at_whatever_is_no_letter_or_digit() -> None:
    words = Words(file_name="IMG_1234.jpg", title="Harbour at noon, again", tags=("Old boats", "sea"))
    assert terms(words) == [
        "#old boats", "#sea", "1234", "again", "at", "boats", "harbour", "img", "jpg", "noon", "old", "sea",
    ]  # fmt: skip


def test_case_and_the_way_marks_are_written_do_not_matter() -> None:
    assert sought("ÜBERSEE Cafe\u0301 STRASSE") == sought("übersee café straße")
    assert tag_term("Café") == tag_term("CAFE\u0301")


@given(st.text(st.characters(codec="ascii")))
def test_plain_letters_take_a_short_way_to_the_same_terms(text: str) -> None:
    assert tag_term(text) == "#" + normalize("NFKC", normalize("NFKC", text).casefold())


@given(WORDS)
def test_every_word_of_an_asset_finds_it(words: Words) -> None:
    found = terms(words)
    assert found == sorted(set(found))
    assert "" not in found
    for text in (words.file_name, words.title, words.description, *words.tags):
        for word in sought(text or "")[:MOST_TERMS]:
            assert word in found
            assert len(word) <= LONGEST_TERM
    assert {tag_term(tag) for tag in words.tags} <= set(found)


def test_a_search_is_quoted() -> None:
    query = search_query(OWNER, beginnings=sought("har b'c"), tags=("it's \\ me",))
    assert query == f"'{OWNER}' & '#it''s \\\\ me' & 'har':* & 'b':* & 'c':*"


def test_a_search_without_a_word_asks_for_nothing() -> None:
    assert sought(" -_- ") == []


def test_no_asset_has_more_terms_than_there_may_be() -> None:
    many = " ".join(f"w{number}" for number in range(5000))
    assert len(terms(Words(description=many))) == MOST_TERMS


@given(TEXTS, TEXTS)
def test_the_terms_of_two_texts_are_those_of_each(title: str, description: str) -> None:
    """However one ends and the other begins: a mark there belongs to no letter of its neighbour."""
    both = set(terms(Words(title=title, description=description)))
    assert both == {*terms(Words(title=title)), *terms(Words(description=description))}
