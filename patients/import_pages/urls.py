"""Routes of the import pages."""

from django.urls import path

from patients.import_pages import running, steps, upload

app_name = "imports"
urlpatterns = [
    path("import", upload.index, name="list"),
    path("import/guides", upload.guides, name="guides"),
    path("import/example.csv", upload.example, name="example"),
    path("import/<str:import_id>", running.show, name="show"),
    path("import/<str:import_id>/live", running.live, name="live"),
    path("import/<str:import_id>/match", steps.match, name="match"),
    path("import/<str:import_id>/fix", steps.fix, name="fix"),
    path("import/<str:import_id>/leave-out", steps.leave_out, name="leave-out"),
    path("import/<str:import_id>/check", steps.check, name="check"),
    path("import/<str:import_id>/start", running.start, name="start"),
    path("import/<str:import_id>/discard", running.discard, name="discard"),
    path("import/<str:import_id>/undo", running.undo, name="undo"),
    path("import/<str:import_id>/rejected.csv", running.rejected, name="rejected"),
]
