"""Makes the files of `parquet.rs`, with pyarrow and polars: `pip install pyarrow polars`, then `parquet.py`."""

import pathlib

import polars
import pyarrow
import pyarrow.parquet

FOLDER = pathlib.Path(__file__).parent / "parquet"
ROWS = range(100)


def main():
    columns = {
        "area": pyarrow.array([40 + 1.5 * n for n in ROWS], pyarrow.float32()),
        "rooms": pyarrow.array([n % 7 - 1 for n in ROWS], pyarrow.int64()),
        "price": pyarrow.array([1e5 + n / 3 for n in ROWS], pyarrow.float64()),
        "garden": pyarrow.array([n % 3 == 0 for n in ROWS], pyarrow.bool_()),
        "district": pyarrow.array([("north", "söuth", "west")[n % 3] for n in ROWS], pyarrow.string()),
        "year": pyarrow.array([65535 - n for n in ROWS], pyarrow.uint16()),
        "age": pyarrow.array([None if n % 10 == 7 else n / 2 for n in ROWS], pyarrow.float64()),
        "note": pyarrow.array([None if n % 2 else f"note {n}" for n in ROWS], pyarrow.string()),
        "big": pyarrow.array([2**63 + n for n in ROWS], pyarrow.uint64()),
        "tags": pyarrow.array([[n, n] for n in ROWS], pyarrow.list_(pyarrow.int64())),
        "sold": pyarrow.array(list(ROWS), pyarrow.timestamp("ms")),
    }
    table = pyarrow.table(columns)
    write = pyarrow.parquet.write_table
    write(table, FOLDER / "pyarrow.parquet", row_group_size=40)
    write(table, FOLDER / "version2.parquet", compression="none", use_dictionary=False, data_page_version="2.0")
    write(table.slice(0, 0), FOLDER / "empty.parquet")
    write(table.select(["area"]), FOLDER / "gzip.parquet", compression="gzip")
    polars.DataFrame(table.to_pydict()).write_parquet(FOLDER / "polars.parquet", compression="zstd")


main()
