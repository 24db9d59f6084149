#!/usr/bin/env python3
"""Turns a module's numbered .sql files into one C++ table: tools/embed_sql.py MODULE OUT FILE..."""
import pathlib
import sys

module, out, *files = sys.argv[1:]
rows = []
for path in sorted(map(pathlib.Path, files)):
    number = int(path.name.split("_")[0])
    rows.append(f'    {{"{module}", {number}, R"sql({path.read_text()})sql"}},\n')
text = ('#include "db/migrations.h"\n\nnamespace rondo::' + module + ' {\n\nconst std::vector<db::Migration>& Migrations() {\n'
        '  static const std::vector<db::Migration> rows = {\n' + "".join(rows) + '  };\n  return rows;\n}\n\n}\n')
target = pathlib.Path(out)
target.parent.mkdir(parents=True, exist_ok=True)
target.write_text(text)
