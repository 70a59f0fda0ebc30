"""
### Fit clusters
Fits the audio clusters again, assigns a cluster to every track and publishes the result. A nightly refresh does this by
itself when the fraction of changed tracks exceeds CLUSTER_REFIT_SHARE.

New clusters are matched to the old ones, so that `audio_features_type` keeps its meaning. The number of clusters chosen
here also applies to later refits.

**If it fails**: the last line of the failed task's log says what to do. Nothing was published.

**Is a rerun safe?** Yes. The same number and seed on the same catalogue give the same clusters.
"""

from datetime import timedelta

from airflow.sdk import DAG, Param

from dags.common.params import render_doc_page
from dags.common.refresh_tasks import build_refresh_tasks
from dags.common.retries import build_default_args

with DAG(
    dag_id="fit_clusters",
    description="Fit the audio clusters again and publish them",
    schedule=None,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=6),
    default_args=build_default_args(),
    doc_md=render_doc_page(__doc__),
    tags=["catalogue", "clusters"],
    params={
        "cluster_count": Param(
            8, type="integer", minimum=2, maximum=50, title="Clusters", description="The number of clusters (k)."
        ),
        "seed": Param(
            1, type="integer", title="Seed", description="The same seed on the same catalogue gives the same clusters."
        ),
    },
):
    build_refresh_tasks()
