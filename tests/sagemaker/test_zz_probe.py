import json, time, pytest
from tests.sagemaker.test_policy import *
from tests.sagemaker.conftest import *
from tests.conftest import *
D=sorted(allowed())
@pytest.mark.parametrize("action", D)
def test_probe(hpo, aws, eventually, action):
    for folder in ("source", "data"):
        (hpo.folder / folder).mkdir()
    hpo.write("data/a.csv", "1")
    aws.settings.denied={action}
    keep={"keep_alive":"30m"} if "Update" in action else {}
    job(hpo, train(hpo), options=keep, inputs={"train":"data"}, limits={"max_jobs":2,"max_cost":5.0,"max_job_runtime":"10m"})
    p=hpo.start("run","spec.yaml")
    t=time.time()
    while p.poll() is None and time.time()-t<8: time.sleep(.1)
    out=["RC %s %.1fs"%(p.poll(), time.time()-t), hpo.text("err")[-700:], hpo.text("out")[-900:]]
    if p.poll() is None:
        out.append("WAITING "+hpo("status","job").out)
        p.terminate(); p.wait(30)
    if (hpo.home/"jobs/job").exists():
        for t_ in hpo("trials","job","--json").json: out.append(f"TRIAL {t_['status']} {t_['reason']} {t_['detail']}")
    aws.settings.denied=set()
    open("/tmp/probe.txt","a").write("\n==== "+action+"\n"+"\n".join(out))
