"""The checksum beside the writing is hashlib's, whatever the sizes; its thread ends with the block."""

import hashlib
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shards.hashing import Sha256Behind


@given(st.lists(st.sampled_from((0, 1, 512, 70_000, 3 << 20, 9 << 20)), max_size=8))
def test_it_is_the_digest_of_all_bytes_in_their_order(sizes):
    parts = [bytes([number + 1]) * size for number, size in enumerate(sizes)]
    with Sha256Behind() as digest:
        for part in parts:
            digest.update(part)
        assert digest.hexdigest() == hashlib.sha256(b"".join(parts)).hexdigest()


def test_more_may_follow_a_digest():
    with Sha256Behind() as digest:
        digest.update(b"a")
        assert digest.hexdigest() == hashlib.sha256(b"a").hexdigest()
        digest.update(b"b")
        assert digest.hexdigest() == hashlib.sha256(b"ab").hexdigest()


def test_an_error_in_the_block_leaves_no_thread_behind():
    with pytest.raises(OSError, match="disk is full"), Sha256Behind() as digest:
        digest.update(bytes(9 << 20))
        raise OSError("disk is full")
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("sha256")]


def test_what_is_no_bytes_is_an_error_and_not_a_wrong_digest():
    with Sha256Behind() as digest, pytest.raises(TypeError):
        digest.update("text")
        digest.hexdigest()
