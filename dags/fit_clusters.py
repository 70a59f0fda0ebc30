"""
### Fit clusters
Fits the audio clusters anew on request, gives every track its cluster and publishes. A nightly refresh does so by
itself when the catalogue has changed by more than CLUSTER_REFIT_SHARE.

New clusters are matched to the old ones, so that `audio_features_type` keeps its meaning across fits; the number of
clusters chosen here also holds for the refits of later nights.

**When it fails**, the last line of the failed task's log says what to do. **Running it again** with the same number and
seed on the same catalogue gives the same clusters.
"""

from datetime import timedelta

from airflow.sdk import DAG, Param

from dags.common.defaults import build_default_args, render_doc_page
from dags.common.refresh_tasks import build_refresh_tasks

with DAG(
    dag_id="fit_clusters",
    description="Fit the audio clusters anew and publish",
    schedule=None,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=6),
    default_args=build_default_args(),
    doc_md=render_doc_page(__doc__),
    tags=["catalogue", "clusters"],
    params={
        "cluster_count": Param(
            8, type="integer", minimum=2, maximum=50, title="Clusters", description="How many clusters (k)."
        ),
        "seed": Param(
            1, type="integer", title="Seed", description="The same seed on the same catalogue gives the same clusters."
        ),
    },
):
    build_refresh_tasks()
