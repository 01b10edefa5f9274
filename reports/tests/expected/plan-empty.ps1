# stillin/plan/1, written by stillin 0.1.0
# The report plans no recycle: there is nothing to do.

Write-Output 'The report plans no recycle: there is nothing to do.'
exit 0
