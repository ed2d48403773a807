# Usage: python3 verify.py FILE KEY, with a receipt as GET /v1/receipts/{id} answers it and its HMAC key in base64.
import base64, hashlib, hmac, json, sys
receipt = json.load(open(sys.argv[1], encoding="utf-8"))
receipt = receipt.get("data", receipt)
signature = receipt.pop("receipt_signature")
for beside in ("status", "tombstoned_at", "outcome"):
    receipt.pop(beside, None)
canonical = json.dumps(receipt, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
valid = hmac.compare_digest(hmac.new(base64.b64decode(sys.argv[2]), canonical, hashlib.sha256).hexdigest(), signature)
print(valid), sys.exit(0 if valid else 4)
