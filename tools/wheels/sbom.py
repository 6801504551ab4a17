"""The wheel's bill of materials, CycloneDX 1.6, and how it gets into the wheel (PEP 770).

The same contents give the same bytes: the serial number is made from them, and the time is SOURCE_DATE_EPOCH's.
"""

import base64
import csv
import datetime
import hashlib
import io
import json
import uuid
import zipfile

PATH = "sboms/microtome.cdx.json"


def document(name, version, components, epoch):
    """The bill of materials of `name` `version`, as JSON text. `epoch`: seconds since 1970."""
    root = f"pkg:pypi/{name}@{version}"
    body = {
        "metadata": {
            "timestamp": datetime.datetime.fromtimestamp(epoch, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {
                "type": "library",
                "bom-ref": root,
                "name": name,
                "version": version,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
                "purl": root,
            },
        },
        "components": [described(component) for component in components],
        "dependencies": [{"ref": root, "dependsOn": [component.purl for component in components]}],
    }
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(body, sort_keys=True))
    head = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
    }
    return json.dumps(head | body, indent=2) + "\n"


def described(component):
    entry = {
        "type": "library",
        "bom-ref": component.purl,
        "name": component.name,
        "version": component.version,
        "licenses": [{"expression": component.licence}],
        "purl": component.purl,
        "properties": [{"name": "microtome:linked", "value": component.linked}],
    }
    return {key: value for key, value in entry.items() if value is not None}


def add_to_wheel(wheel, text):
    """Puts the bill of materials into the .dist-info of the wheel file `wheel`, and into its RECORD."""
    with zipfile.ZipFile(wheel) as archive:
        members = [(info, archive.read(info)) for info in archive.infolist()]
    (record,) = (info for info, _ in members if info.filename.endswith(".dist-info/RECORD"))
    name = record.filename.removesuffix("RECORD") + PATH
    data = text.encode()
    added = zipfile.ZipInfo(name, record.date_time)
    added.external_attr, added.compress_type = record.external_attr, zipfile.ZIP_DEFLATED
    rows = [
        row
        for info, content in members
        if info is record
        for row in csv.reader(content.decode().splitlines())
    ]
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    lines = io.StringIO()
    csv.writer(lines, lineterminator="\n").writerows(
        [*rows[:-1], [name, f"sha256={digest}", len(data)], rows[-1]]
    )
    new = wheel.with_suffix(".new")
    with zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED) as archive:
        for info, content in members:
            if info is record:
                archive.writestr(added, data)
                content = lines.getvalue()
            archive.writestr(info, content)
    new.replace(wheel)
