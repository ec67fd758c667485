"""Signing in: the examples of the standards, stale nonces, and passwords that never show."""

import hashlib

import pytest

from base import AuthError
from ingest.rtsp.auth import Authenticator, Offers, parse_challenges
from ingest.rtsp.message import MessageParser, Response

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
    auth = Authenticator("Mufasa", "Circle of Life", nonce=lambda: CNONCE)
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


def answer(offer: str, user: str = "Mufasa", password: str = "Circle of Life") -> dict[str, str]:
    """The fields of our answer to `offer` for DESCRIBE rtsp://h/."""
    auth = Authenticator(user, password, nonce=lambda: CNONCE)
    auth.challenged([offer])
    (challenge,) = parse_challenges([auth.header("DESCRIBE", "rtsp://h/")])
    return challenge.parameters


def hashed(name: str, *parts: str) -> str:
    return hashlib.new(name, ":".join(parts).encode()).hexdigest()


@pytest.mark.parametrize(
    ("algorithm", "name"),
    [("MD5-sess", "md5"), ("md5-sess", "md5"), ("SHA-256-sess", "sha256"), ("MD5", "md5"), ("SHA-256", "sha256")],
)
@pytest.mark.parametrize("qop", ["", "auth", "auth-int", "auth-int,auth"])
def test_every_algorithm_and_protection(algorithm: str, name: str, qop: str) -> None:
    fields = answer(f'Digest realm="r", nonce="n", algorithm={algorithm}' + f', qop="{qop}"' * bool(qop))
    secret = hashed(name, "Mufasa", "r", "Circle of Life")
    if algorithm.lower().endswith("-sess"):
        secret = hashed(name, secret, "n", CNONCE)
    chosen = "auth" if qop.endswith("auth") else qop
    request = hashed(name, "DESCRIBE", "rtsp://h/", *[hashed(name, "")] * (chosen == "auth-int"))
    middle = ["00000001", CNONCE, chosen] if qop else []
    assert fields["response"] == hashed(name, secret, "n", *middle, request)
    assert fields["algorithm"] == algorithm and fields.get("qop", "") == chosen
    assert ("cnonce" in fields) == (bool(qop) or algorithm.lower().endswith("-sess"))


def test_a_realm_with_quotes() -> None:
    fields = answer(r'Digest realm="the \"front\" door \\ 2", nonce="n"', user='o"p')
    assert fields["realm"] == 'the "front" door \\ 2' and fields["username"] == 'o"p'
    secret = hashed("md5", 'o"p', 'the "front" door \\ 2', "Circle of Life")
    assert fields["response"] == hashed("md5", secret, "n", hashed("md5", "DESCRIBE", "rtsp://h/"))


def test_a_realm_in_chinese() -> None:
    head = 'RTSP/1.0 401 Unauthorized\r\nWWW-Authenticate: Digest realm="入口", nonce="n"\r\n\r\n'.encode()
    (response,) = MessageParser().feed(head).items
    assert isinstance(response, Response)
    fields = answer(response.get("www-authenticate"))
    assert fields["realm"] == "入口"
    assert fields["response"] == hashed(
        "md5", hashed("md5", "Mufasa", "入口", "Circle of Life"), "n", hashed("md5", "DESCRIBE", "rtsp://h/")
    )


def test_spaces_around_the_equals_signs_and_no_quotes() -> None:
    fields = answer("Digest realm = camera , nonce = n , algorithm = MD5 , stale=FALSE")
    assert (fields["realm"], fields["nonce"]) == ("camera", "n")


def test_basic_beside_digest_in_one_header_or_two() -> None:
    offers = ['Basic realm="a", Digest realm="b", nonce="n"', 'Digest realm="b", nonce="n", Basic realm="a"']
    for offer in ([offers[0]], [offers[1]], ['Basic realm="a"', 'Digest realm="b", nonce="n"']):
        auth = Authenticator("u", "p")
        auth.challenged(offer)
        assert auth.header("PLAY", "rtsp://h/").startswith('Digest username="u", realm="b"')


def test_an_unknown_scheme_beside_a_known_one() -> None:
    auth = Authenticator("u", "p")
    auth.challenged(['Digest realm="a", nonce="n", algorithm=SHA-512-256', "Negotiate", 'Basic realm="a"'])
    assert auth.header("PLAY", "rtsp://h/").startswith("Basic ")


def test_a_stale_nonce_is_renewed_and_a_second_refusal_is_final() -> None:
    auth = Authenticator("u", "hunter2")
    auth.challenged(['Digest realm="x", nonce="1"'])
    auth.challenged(['Digest realm="x", nonce="2", stale=true'])
    assert 'nonce="2"' in auth.header("PLAY", "rtsp://h/")
    with pytest.raises(AuthError, match="refuses the password of user 'u'") as caught:
        auth.challenged(['Digest realm="x", nonce="3"'])
    assert "hunter2" not in str(caught.value)


def test_who_asked_for_digest_is_never_told_the_password_in_plain_text() -> None:
    auth = Authenticator("u", "hunter2")
    auth.challenged(['Digest realm="x", nonce="1"'])
    auth.accepted()
    with pytest.raises(AuthError, match="asked for Digest first, and now for the password in plain text"):
        auth.challenged(['Basic realm="x"'])
    assert auth.header("PLAY", "rtsp://h/").startswith("Digest ")


def test_digest_is_remembered_over_connections_that_share_what_was_offered() -> None:
    offers = Offers()
    Authenticator("u", "hunter2", offers).challenged(['Basic realm="x", Digest realm="x", nonce="1"'])
    with pytest.raises(AuthError, match="restart Gridpatrol"):
        Authenticator("u", "hunter2", offers).challenged(['Basic realm="x"'])
    Authenticator("u", "hunter2").challenged(['Basic realm="x"'])


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
