"""Inside the root folder, beside Blender: starts programs on the virtual screen when asked to.

A line of JSON on stdin ({"run": [words]} or {"start": [words], "log": path}) is answered by one on
stdout. Ends, with everything it started, when stdin ends.
"""

import json
import subprocess
import sys


def main() -> None:
    started = {}
    for line in sys.stdin:
        task = json.loads(line)
        if "start" in task:
            log = open(task["log"], "w")  # noqa: SIM115, PTH123
            process = subprocess.Popen(task["start"], stdout=log, stderr=subprocess.STDOUT)
            started[process.pid] = process
            answer = {"pid": process.pid}
        elif "ended" in task:
            answer = {"code": started[task["ended"]].poll()}
        else:
            done = subprocess.run(task["run"], capture_output=True, text=True, check=False)
            answer = {"code": done.returncode, "out": done.stdout, "error": done.stderr}
        print(json.dumps(answer), flush=True)
    for process in started.values():
        process.kill()


main()
