@rem stillin/plan/1, written by stillin 0.1.0
@rem The report plans no recycle: there is nothing to do.
@echo off
setlocal EnableExtensions DisableDelayedExpansion
echo The report plans no recycle: there is nothing to do.
exit /b 0
