"""The stock of responders: seed files read whole or refused with the line that is wrong, one holder ever (F35)."""

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from idp.cli import idp
from idp.domain.otp import Algorithm
from idp.domain.seeds import BadSeed, Seed
from idp.effects.pskc import read_pskc
from idp.effects.pskc_keys import Opening
from idp.effects.seed_csv import read_csv
from idp.lab.seed import seed
from idp.services.second_factor.responders import BadResponder, assign, listed, lose, retire, take_in
from idp.services.work import Office
from idp.store.parcels import Parcel
from idp.store.people import Responder
from tests.services.conftest import OpenOffice

SECRET = b"12345678901234567890"
PLAIN = base64.b64encode(SECRET).decode()
# The keys and values of the examples in RFC 6030: figures 2, 6 and 7.
KEY = bytes.fromhex("12345678901234567890123456789012")
BY_KEY = {
    "lock": "<EncryptionKey><ds:KeyName>Pre-shared-key</ds:KeyName></EncryptionKey>",
    "mac": "ESIzRFVmd4iZABEiM0RVZgKn6WjLaTC1sbeBMSvIhRejN9vJa2BOlSaMrR7I5wSX",
    "value": "AAECAwQFBgcICQoLDA0OD+cIHItlB3Wra1DUpxVvOx2lef1VmNPCMl8jwZqIUqGv",
    "proof": "Su+NvtQfmvfJzF6bmQiJqoLRExc=",
}
BY_PASSWORD = {
    "lock": '<EncryptionKey><xenc11:DerivedKey><xenc11:KeyDerivationMethod Algorithm="http://www.rsasecurity.com/'
    'rsalabs/pkcs/schemas/pkcs-5v2-0#pbkdf2"><pkcs5:PBKDF2-params><Salt><Specified>Ej7/PEpyEpw=</Specified></Salt>'
    "<IterationCount>1000</IterationCount><KeyLength>16</KeyLength><PRF/></pkcs5:PBKDF2-params>"
    "</xenc11:KeyDerivationMethod><xenc11:MasterKeyName>My Password 1</xenc11:MasterKeyName></xenc11:DerivedKey>"
    "</EncryptionKey>",
    "mac": "2GTTnLwM3I4e5IO5FkufoOEiOhNj91fhKRQBtBJYluUDsPOLTfUvoU2dStyOwYZx",
    "value": "oTvo+S22nsmS2Z/RtcoF8Hfh+jzMe0RkiafpoDpnoZTjPYZu6V+A4aEn032yCr4f",
    "proof": "LP6xMvjtypbfT9PdkJhBZ+D6O4w=",
}
CBC = '<xenc:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc"/>'


def container(secret: str, above: str = "", **changes: str) -> bytes:
    """A container with one device, each of its parts on a line of its own: the device begins on line 3."""
    told = {
        "version": "1.0",
        "serial": "987654321",
        "algorithm": "hotp",
        "form": '<ResponseFormat Length="8" Encoding="DECIMAL"/>',
        "counter": "<Counter><PlainValue>0</PlainValue></Counter>",
    } | changes
    return f"""<KeyContainer Version="{told["version"]}" xmlns="urn:ietf:params:xml:ns:keyprov:pskc" {_NAMES}>
{above}
<KeyPackage><DeviceInfo><Manufacturer>Vendor</Manufacturer>
<SerialNo>{told["serial"]}</SerialNo></DeviceInfo>
<Key Id="1" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:{told["algorithm"]}">
<AlgorithmParameters>{told["form"]}</AlgorithmParameters>
<Data>
<Secret>{secret}</Secret>
{told["counter"]}
</Data></Key></KeyPackage></KeyContainer>""".encode()


_NAMES = (
    'xmlns:ds="http://www.w3.org/2000/09/xmldsig#" xmlns:xenc="http://www.w3.org/2001/04/xmlenc#" '
    'xmlns:xenc11="http://www.w3.org/2009/xmlenc11#" '
    'xmlns:pkcs5="http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#"'
)


def encrypted(parts: dict[str, str], proof: bool = True, **changes: str) -> bytes:
    """A container of RFC 6030 whose secret is encrypted."""
    mac = f"<xenc:CipherData><xenc:CipherValue>{parts['mac']}</xenc:CipherValue></xenc:CipherData>"
    method = '<MACMethod Algorithm="http://www.w3.org/2000/09/xmldsig#hmac-sha1">'
    above = f"{parts['lock']}{method}<MACKey>{CBC}{mac}</MACKey></MACMethod>"
    data = f"<xenc:CipherData><xenc:CipherValue>{parts['value']}</xenc:CipherValue></xenc:CipherData>"
    value = f"<EncryptedValue>{CBC}{data}</EncryptedValue>"
    return container(value + (f"<ValueMAC>{parts['proof']}</ValueMAC>" if proof else ""), above, **changes)


def plain(**changes: str) -> bytes:
    """A container with a plain secret."""
    return container(f"<PlainValue>{changes.pop('secret', PLAIN)}</PlainValue>", **changes)


@pytest.fixture
def office(database: str, open_office: OpenOffice) -> Office:
    """An office whose database holds the world."""
    made = open_office(database)
    seed(made, 7)
    return made


@pytest.mark.parametrize(
    ("data", "opening"),
    [
        (plain(), Opening()),
        (encrypted(BY_KEY), Opening(key=KEY)),
        (encrypted(BY_PASSWORD), Opening(password="qwerty")),
    ],
    ids=["plain", "pre-shared-key", "password"],
)
def test_the_examples_of_the_rfc_are_read(data: bytes, opening: Opening) -> None:
    """Plain, with a pre-shared key and with a password: each gives the same device that counts (RFC 6030)."""
    (found,) = read_pskc(data, opening)
    assert (found.serial, found.secret, found.digits) == ("987654321", SECRET, 8)
    assert (found.algorithm, found.counter) == (Algorithm.HOTP, 0)


@pytest.mark.parametrize(
    ("data", "opening", "line"),
    [
        (b"<KeyContainer", Opening(), 1),
        (b"<!DOCTYPE x>" + plain(), Opening(), 1),
        (b"<other/>", Opening(), 1),
        (plain(version="2.0"), Opening(), 1),
        (plain(serial="no number!"), Opening(), 4),
        (plain(algorithm="ocra"), Opening(), 5),
        (plain(form='<ResponseFormat Length="8" Encoding="HEXADECIMAL"/>'), Opening(), 6),
        (plain(form='<ResponseFormat Length="9" Encoding="DECIMAL"/>'), Opening(), 6),
        (plain(form="<Suite>HMAC-SHA256</Suite><ResponseFormat/>"), Opening(), 6),
        (plain(secret="%%%"), Opening(), 8),
        (plain(secret="c2hvcnQ="), Opening(), 8),
        (plain(counter="<Counter><PlainValue>-1</PlainValue></Counter>"), Opening(), 9),
        (plain(counter="<TimeInterval><PlainValue>45</PlainValue></TimeInterval>"), Opening(), 9),
        (plain(counter="<TimeDrift><PlainValue>1001</PlainValue></TimeDrift>"), Opening(), 9),
        (plain(counter="<Counter><PlainValue>many</PlainValue></Counter>"), Opening(), 9),
        (encrypted(BY_KEY), Opening(), 2),
        (encrypted(BY_KEY), Opening(key=bytes(16)), 2),
        (encrypted(BY_KEY | {"proof": "AAAA"}), Opening(key=KEY), 8),
        (encrypted(BY_KEY, proof=False), Opening(key=KEY), 8),
        (encrypted(BY_PASSWORD), Opening(password="azerty"), 2),
    ],
)
def test_a_wrong_container_is_refused_with_its_line(data: bytes, opening: Opening, line: int) -> None:
    """Each wrong file is refused by the line on which it is wrong."""
    with pytest.raises(BadSeed) as refused:
        read_pskc(data, opening)
    assert refused.value.line == line, str(refused.value)


@pytest.mark.parametrize("serials", [("A1", "A1"), ("A1", "A2")], ids=["number", "secret"])
def test_doubles_on_one_line_are_refused(serials: tuple[str, str]) -> None:
    """A container without line breaks that has a number or a secret twice is refused too (F35)."""
    both = [plain(serial=serial).replace(b"\n", b" ") for serial in serials]
    data = both[0].replace(b"</KeyContainer>", b"") + b"<KeyPackage>" + both[1].partition(b"<KeyPackage>")[2]
    with pytest.raises(BadSeed, match="already") as refused:
        read_pskc(data, Opening())
    assert refused.value.line == 1


def test_a_table_is_read() -> None:
    """Commas or semicolons, three encodings of a secret, and defaults where a cell is empty."""
    hexed, based = SECRET.hex(), base64.b32encode(SECRET).decode().lower()
    (one,) = read_csv(f"Serial;secret_hex;algorithm;digits\nsh-1;{hexed};HOTP;8\n".encode())
    (two,) = read_csv(f"\ufeffserial,secret_base32,period\r\nSH-1,{based},60\r\n".encode())
    (three,) = read_csv(f"serial,secret_base64,drift\nSH-1,{PLAIN},-2\n".encode())
    assert (one.serial, one.secret, one.algorithm, one.digits) == ("SH-1", SECRET, Algorithm.HOTP, 8)
    assert (two.secret, two.period, two.digits) == (SECRET, 60, 6)
    assert (three.secret, three.drift) == (SECRET, -2)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("serial,secret_hex\n", 1),
        ("serial,secret\nA,00", 1),
        ("serial,secret_hex,secret_base32\n", 1),
        (f"serial,secret_hex\nA,{SECRET.hex()}\nB,zz\n", 3),
        (f"serial,secret_hex\nA,{SECRET.hex()}\n\nB\n", 4),
        (f"serial,secret_hex\nA,{SECRET.hex()}\nA,{'11' * 20}\n", 3),
        (f"serial,secret_hex\nA,{SECRET.hex()}\nB,{SECRET.hex()}\n", 3),
        (f"serial,secret_hex,digits\nA,{SECRET.hex()},7\n", 2),
        (f"serial,secret_hex,digits\nA,{SECRET.hex()},six\n", 2),
        (f"serial,secret_hex,algorithm\nA,{SECRET.hex()},ocra\n", 2),
    ],
)
def test_a_wrong_table_is_refused_with_its_line(text: str, line: int) -> None:
    """Each wrong table is refused by the line on which it is wrong."""
    with pytest.raises(BadSeed) as refused:
        read_csv(text.encode())
    assert refused.value.line == line, str(refused.value)


def test_nothing_is_half_imported(office: Office) -> None:
    """A file whose last device is known already leaves none of the others behind."""
    seeds = (Seed(1, "NEW-1", b"a" * 20), Seed(2, "SH-2600107", b"b" * 20))
    with pytest.raises(BadSeed) as refused, office.work("test") as work:
        take_in(work, seeds)
    assert refused.value.line == 2
    assert [one.serial for one in listed(office, "stock")] == []


def test_a_secret_comes_in_once(office: Office) -> None:
    """A secret that was ever here is refused under another number, the ones of the world too; all lie sealed."""
    known = base64.b32decode("4NWJJRL764X7IJGZ3CYS4J2HRPF6JRKO")
    with pytest.raises(BadSeed), office.work("test") as work:
        take_in(work, (Seed(1, "NEW-1", known),))
    with office.work("test") as work:
        take_in(work, (Seed(1, "NEW-1", SECRET),))
    with office.reading() as connection:
        stored = connection.execute(select(Responder.secret).where(Responder.serial == "NEW-1")).scalar_one()
    assert SECRET not in stored
    assert base64.b32encode(SECRET) not in stored


def test_a_device_has_one_holder_ever(office: Office) -> None:
    """Assigned, lost and found it goes back to its holder alone; retired it is nobody's any more (F35)."""
    with office.work("test") as work:
        take_in(work, (Seed(1, "NEW-1", SECRET),))
        assign(work, "new-1", "zohra")
    _refused(office, lambda: assign_in(office, "NEW-1", "anna"))
    with office.work("test") as work:
        lose(work, "NEW-1")
    _refused(office, lambda: assign_in(office, "NEW-1", "anna"))
    assign_in(office, "NEW-1", "zohra")
    with office.work("test") as work:
        retire(work, "NEW-1")
    _refused(office, lambda: assign_in(office, "NEW-1", "zohra"))
    with office.reading() as connection:
        held = select(func.count()).where(Responder.serial == "NEW-1", Responder.status == "retired")
        assert connection.execute(held).scalar_one() == 1


def test_a_holder_hears_what_staff_does_with_the_device(office: Office) -> None:
    """Who is given a device, and whose device is lost or retired by staff, is told by mail (SEC-30)."""
    with office.work("test") as work:
        take_in(work, (Seed(1, "NEW-1", SECRET),))
        assign(work, "NEW-1", "anna")
        lose(work, "NEW-1")
        retire(work, "NEW-1")
    with office.reading() as connection:
        told = connection.execute(select(Parcel.recipient, Parcel.template)).all()
    assert sorted(tuple(one) for one in told) == [
        ("anna@zonneschijn.test", f"responder-{what}") for what in ("assigned", "lost", "retired")
    ]


def test_the_command_imports_lists_and_shows(sqlite_database: str, open_office: OpenOffice, tmp_path: Path) -> None:
    """The command takes a file, tells the line of a wrong one, and goes through the life of a device."""
    office = open_office(sqlite_database)
    seed(office, 7)
    config = tmp_path / "config.toml"
    config.write_text(f'[database]\nurl = "{sqlite_database}"\n[keys]\nfolder = "{office.settings.keys.folder}"\n')

    def run(*arguments: str) -> tuple[int, str]:
        ran = CliRunner().invoke(idp, ["responders", *arguments, "--config", str(config), "--json"])
        return ran.exit_code, ran.output

    good, bad = tmp_path / "good.xml", tmp_path / "bad.csv"
    good.write_bytes(encrypted(BY_KEY))
    bad.write_text("serial,secret_hex\nX,00\n")
    (tmp_path / "key").write_text(KEY.hex())
    assert run("import", str(good), "--key", str(tmp_path / "key")) == (0, '{"imported": 1}\n')
    code, said = run("import", str(bad))
    assert code == 1
    assert "bad.csv, line 2:" in said
    assert "Nothing was imported." in said
    (tmp_path / "password").write_bytes(b"\xff\xfe")
    code, said = run("import", str(good), "--password-file", str(tmp_path / "password"))
    assert (code, "password must hold" in said) == (1, True), said
    assert run("assign", "987654321", "zohra")[0] == 0
    shown = json.loads(run("show", "987654321")[1])
    assert (shown["status"], shown["username"], shown["holder"]) == ("assigned", "zohra", "Z. e. B.")
    assert run("lost", "987654321")[0] == run("retire", "987654321")[0] == 0
    found = json.loads(run("list", "--status", "retired")[1])["responders"]
    assert [one["serial"] for one in found] == ["987654321"]
    assert run("assign", "987654321", "zohra")[0] == 1


def assign_in(office: Office, serial: str, username: str) -> None:
    """Assign in a transaction of its own."""
    with office.work("test") as work:
        assign(work, serial, username)


def _refused(office: Office, act: Callable[[], None]) -> None:
    before = listed(office, "assigned")
    with pytest.raises(BadResponder):
        act()
    assert listed(office, "assigned") == before
