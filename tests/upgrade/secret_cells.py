"""Opens what DevLake and Tarn encrypt, with OpenSSL's own library, so that the tests do not trust the program's cipher.

Both formats: base64 of AES-256-CBC with a fixed IV, and base64 of a nonce, AES-256-GCM and its tag. The key is SHA-256 of the secret; the text
ends in a marker.
"""

import base64
import binascii
import ctypes
import hashlib

MARKER = b"{nddtf}"
NONCE, TAG, BLOCK = 12, 16, 16
SET_GCM_TAG = 0x11

_crypto = ctypes.CDLL("libcrypto.so.3")
for _name in ("EVP_CIPHER_CTX_new", "EVP_aes_256_cbc", "EVP_aes_256_gcm"):
    getattr(_crypto, _name).restype = ctypes.c_void_p


def _run(mode, key, nonce, data, tag=None, encrypt=False):
    context = ctypes.c_void_p(_crypto.EVP_CIPHER_CTX_new())
    try:
        verb = "Encrypt" if encrypt else "Decrypt"
        cipher = ctypes.c_void_p(getattr(_crypto, f"EVP_aes_256_{mode}")())
        out, length = ctypes.create_string_buffer(len(data) + BLOCK), ctypes.c_int(0)
        assert getattr(_crypto, f"EVP_{verb}Init_ex")(context, cipher, None, key, nonce) == 1
        _crypto.EVP_CIPHER_CTX_set_padding(context, 0)
        assert getattr(_crypto, f"EVP_{verb}Update")(context, out, ctypes.byref(length), data, len(data)) == 1
        if tag is not None:
            _crypto.EVP_CIPHER_CTX_ctrl(context, SET_GCM_TAG, len(tag), tag)
            rest = ctypes.create_string_buffer(BLOCK)
            if _crypto.EVP_DecryptFinal_ex(context, rest, ctypes.byref(ctypes.c_int(0))) != 1:
                return None
        return out.raw[:length.value]
    finally:
        _crypto.EVP_CIPHER_CTX_free(context)


def encrypt(secret, text):
    """In the old format."""
    key = hashlib.sha256(secret.encode()).digest()
    data = text.encode() + MARKER
    fill = BLOCK - len(data) % BLOCK
    return base64.b64encode(_run("cbc", key, key[:BLOCK], data + bytes([fill]) * fill, encrypt=True)).decode()


def decrypt(secret, stored):
    """None where it is not encrypted by this key."""
    key = hashlib.sha256(secret.encode()).digest()
    try:
        data = base64.b64decode(stored, validate=True)
    except (binascii.Error, ValueError):
        return None
    text = None
    if len(data) >= NONCE + TAG:
        text = _run("gcm", key, data[:NONCE], data[NONCE:-TAG], tag=data[-TAG:])
    if text is None and data and len(data) % BLOCK == 0:
        text = _run("cbc", key, key[:BLOCK], data)
        text = text[:-text[-1]] if text[-1] < len(text) else b""
    return text[:-len(MARKER)].decode(errors="replace") if text and text.endswith(MARKER) else None


LOGINS = {"password", "token", "secret_key", "refresh_token"}
PLANS = {"_devlake_blueprints": {"plan", "before_plan", "after_plan"}, "_devlake_pipelines": {"plan"}, "_devlake_tasks": {"options"}}


def is_secret(table, column):
    return column in PLANS.get(table, ()) or (table.startswith("_tool_") and table.endswith("_connections") and column in LOGINS)
