"""Signing in: the examples of the standards, stale nonces, and passwords that never show."""

import pytest

from base import AuthError
from ingest.rtsp.auth import Authenticator, parse_challenges

RFC_7616 = (
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={}, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_digest_as_in_rfc_7616(algorithm: str, response: str) -> None:
    auth = Authenticator("Mufasa", "Circle of Life", lambda: CNONCE)
    assert auth.header("GET", "/dir/index.html") == ""
    auth.challenged([RFC_7616.format(algorithm)])
    header = auth.header("GET", "/dir/index.html")
    assert f'response="{response}"' in header and "nc=00000001" in header and "FQhe" in header
    assert "nc=00000002" in auth.header("GET", "/dir/index.html")


def test_digest_without_qop_as_in_rfc_2069() -> None:
    auth = Authenticator("admin", "12345")
    auth.challenged(['Digest realm="IP Camera(C6496)", nonce="ab12", stale="FALSE"'])
    assert "qop" not in auth.header("DESCRIBE", "rtsp://h/") and "response=" in auth.header("DESCRIBE", "rtsp://h/")


def test_the_strongest_offer_is_taken() -> None:
    offers = ['Basic realm="x", Digest realm="x", nonce="1", algorithm=MD5', 'Digest realm="x", nonce="2", algorithm=SHA-256']
    assert [challenge.scheme for challenge in parse_challenges(offers)] == ["basic", "digest", "digest"]
    auth = Authenticator("u", "p")
    auth.challenged(offers)
    assert 'nonce="2"' in auth.header("OPTIONS", "rtsp://h/")


def test_basic() -> None:
    auth = Authenticator("Aladdin", "open sesame")
    auth.challenged(['Basic realm="WallyWorld"'])
    assert auth.header("OPTIONS", "rtsp://h/") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="


def test_a_stale_nonce_is_renewed_and_a_second_refusal_is_final() -> None:
    auth = Authenticator("u", "hunter2")
    auth.challenged(['Digest realm="x", nonce="1"'])
    auth.challenged(['Digest realm="x", nonce="2", stale=true'])
    assert 'nonce="2"' in auth.header("PLAY", "rtsp://h/")
    with pytest.raises(AuthError, match="refuses the password of user 'u'") as caught:
        auth.challenged(['Digest realm="x", nonce="3"'])
    assert "hunter2" not in str(caught.value)


def test_a_nonce_that_worked_may_expire_without_being_called_stale() -> None:
    auth = Authenticator("u", "p")
    auth.challenged(['Digest realm="x", nonce="1"'])
    auth.accepted()
    auth.challenged(['Digest realm="x", nonce="2"'])
    assert 'nonce="2"' in auth.header("GET_PARAMETER", "rtsp://h/")


@pytest.mark.parametrize("offer", ["", 'Digest realm="x"', 'Digest realm="x", nonce="1", algorithm=SHA-512-256', "Bearer abc"])
def test_what_we_cannot_answer(offer: str) -> None:
    with pytest.raises(AuthError, match="neither Basic nor Digest"):
        Authenticator("u", "p").challenged([offer])


def test_missing_credentials_are_named() -> None:
    with pytest.raises(AuthError, match="none is configured"):
        Authenticator("", "").challenged(['Basic realm="x"'])
