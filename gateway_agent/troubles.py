"""What is wrong with a part of the gateway now, each a short word with a sentence.

A trouble that arises or passes is told at once: who waits for a reading should not learn of a dead
adapter four minutes later. May hold: the words and who is told of them. May not: judgement, I/O.
"""

from collections.abc import Callable, Iterator, Mapping


class Troubles(Mapping[str, str]):
    """The troubles of one part; `on_change` is called when one arises, changes its sentence, or
    passes."""

    def __init__(self) -> None:
        self._said: dict[str, str] = {}
        self.on_change: Callable[[], None] = lambda: None

    def arose(self, word: str, sentence: str) -> None:
        """Takes down what is wrong, and what to do."""
        if self._said.get(word) != sentence:
            self._said[word] = sentence
            self.on_change()

    def passed(self, word: str) -> None:
        """Takes down that this is wrong no more."""
        if self._said.pop(word, None) is not None:
            self.on_change()

    def __getitem__(self, word: str) -> str:
        return self._said[word]

    def __iter__(self) -> Iterator[str]:
        return iter(self._said)

    def __len__(self) -> int:
        return len(self._said)
