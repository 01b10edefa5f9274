@rem stillin/plan/1, written by stillin 0.1.0
@rem Recycles the application pools that may hold the tokens of these accounts:
@rem   f1  _cmd__ /C calc__A0 _img src_x onerror__alert_1___ \x1b_2J\x1b_0;t\x07 \u_202e_gpj\u_2066_\u_200f_ \x9b31m \x7f \u_2028_ \x0d\x0a,\x09\x00 _q_ _q_ __ _ _ ; Remove-Item C:\ ; _ _; calc _ _ _ _; calc __ __calc_ __calc_ _env:windir @calc @_a_1_ _calc_ __ _n __ calc __ \x0d\x0acalc\x0a\x0acalc\x85calc\u_2028_calc _ _ calc _ _ _ calc _ x _ y __ calc _ _COMPUTERNAME_ __ __dp0 __ _w___155 characters_  disabled 2026-03-02T09:00:05.123Z  certain
@rem   f2  FABRIKAM\brandt  password reset 2026-03-02T11:30:00Z  possible
@rem 1 step is left out, because the name of the server or pool cannot stand here: 2
@echo off
setlocal EnableExtensions DisableDelayedExpansion
rem Run it on each server, as an administrator: it does the steps of that server.
set "ran="

rem EX01
if /i not "%COMPUTERNAME%"=="EX01" goto after1
set "ran=1"
echo Step 1: MSExchangeSyncAppPool, evicts _cmd__ /C calc__A0 _img src_x onerror__alert_1___ \x1b_2J\x1b_0;t\x07 \u_202e_gpj\u_2066_\u_200f_ \x9b31m \x7f \u_2028_ \x0d\x0a,\x09\x00 _q_ _q_ __ _ _ ; Remove-Item C:\ ; _ _; calc _ _ _ _; calc __ __calc_ __calc_ _env:windir @calc @_a_1_ _calc_ __ _n __ calc __ \x0d\x0acalc\x0a\x0acalc\x85calc\u_2028_calc _ _ calc _ _ _ calc _ x _ y __ calc _ _COMPUTERNAME_ __ __dp0 __ _w___155 characters_; 112 others will log on again; for f1
%windir%\system32\inetsrv\appcmd.exe list wp /apppool.name:"MSExchangeSyncAppPool"
%windir%\system32\inetsrv\appcmd.exe recycle apppool /apppool.name:"MSExchangeSyncAppPool"
if errorlevel 1 goto failed
if not errorlevel 0 goto failed
%windir%\system32\inetsrv\appcmd.exe list wp /apppool.name:"MSExchangeSyncAppPool"
:after1

if defined ran exit /b 0
echo No step of this plan is for %COMPUTERNAME%: nothing was done.
exit /b 1

:failed
echo Stopped: appcmd failed. The steps after it were not done.
exit /b 1
