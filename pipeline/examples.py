"""Real images for the examples, taken from installed packages: pydicom's CT, MR, ultrasound and bone scan, pydicom-data's
X-rays of a chest and a leg, scikit-image's histology and retina.

In: nothing. Out: one folder a corpus, laid out as the corpus is published. Nothing is downloaded, and nothing of it is
committed.
"""

from importlib.resources import files
from pathlib import Path

from pipeline.images.decode import decode
from pipeline.workspace import write_atomic
from schemas.errors import InputError

#: Name in the example corpora to package and file inside it.
_SOURCES = {
    "ct_head": ("pydicom", "data/test_files/J2K_pixelrep_mismatch.dcm"),
    "ct_spine": ("pydicom", "data/test_files/CT_small.dcm"),
    "mr_abdomen": ("pydicom", "data/test_files/examples_overlay.dcm"),
    "us_heart": ("pydicom", "data/test_files/examples_ybr_color.dcm"),
    "chest_xray": ("data_store", "data/RG1_J2KI.dcm"),
    "leg_xray": ("data_store", "data/RG3_J2KI.dcm"),
    "bone_scan": ("pydicom", "data/test_files/JPEG2000.dcm"),
    "histology": ("skimage", "data/ihc.png"),
    "retina": ("skimage", "data/retina.jpg"),
    "microaneurysms": ("skimage", "data/microaneurysms.png"),
}
#: SLAKE calls every image source.jpg; its folder is the id.
_SLAKE = {
    "xmlab1": "ct_head",
    "xmlab2": "mr_abdomen",
    "xmlab3": "us_heart",
    "xmlab4": "retina",
    "xmlab5": "leg_xray",
    "xmlab9": "microaneurysms",
}
_PMC_VQA = {
    "PMC0000001_F1": "histology",
    "PMC0000002_F2": "bone_scan",
    "PMC0000003_F1": "ct_spine",
    "PMC0000004_F1": "microaneurysms",
}
#: LLaVA-Med renames everything to .jpg, whatever it is: DICOM files stay DICOM behind the name.
_LLAVA_MED = {"10000001_F1": "ct_head", "10000002_F1": "mr_abdomen", "10000003_F2": "histology", "10000004_F1": "retina"}
#: Of thirteen reports one has its picture; the others are what `missing_images: text_only` is for.
_IU_XRAY = {"13_IM-0001-4001.dcm.png": "chest_xray"}
_TRUNCATED_BYTES = 3000


def export_images(folder: Path) -> list[Path]:
    """Write the example images under `folder`, where they are not there yet. Returns all their paths.

    Raises InputError when the packages that carry them are not installed.
    """
    made = [_picture(folder / "slake" / name / "source.jpg", source) for name, source in _SLAKE.items()]
    made += [_picture(folder / "pmc_vqa" / f"{name}.jpg", source) for name, source in _PMC_VQA.items()]
    made += [_picture(folder / "iu_xray" / name, source) for name, source in _IU_XRAY.items()]
    made += [_copy(folder / "llava_med" / f"{name}.jpg", source) for name, source in _LLAVA_MED.items()]
    cut = folder / "slake" / "xmlab8" / "source.jpg"
    if not cut.exists():
        write_atomic(cut, (folder / "slake" / "xmlab4" / "source.jpg").read_bytes()[:_TRUNCATED_BYTES])
    return [*made, cut]


def _picture(path: Path, source: str) -> Path:
    if not path.exists():
        import io

        buffer = io.BytesIO()
        decode(_source(source)).convert("RGB").save(buffer, "PNG" if path.suffix == ".png" else "JPEG", quality=95)
        write_atomic(path, buffer.getvalue())
    return path


def _copy(path: Path, source: str) -> Path:
    if not path.exists():
        write_atomic(path, _source(source).read_bytes())
    return path


def _source(name: str) -> Path:
    package, inside = _SOURCES[name]
    try:
        path = Path(str(files(package).joinpath(inside)))
    except ModuleNotFoundError:
        raise InputError(
            f"the examples need the package {package}. Run `make setup`, or `pip install 'bimedv[embedded]'`."
        ) from None
    if not path.is_file():
        raise InputError(
            f"{package} is installed without {inside}, which the examples need. Install the version of constraints.txt."
        )
    return path
