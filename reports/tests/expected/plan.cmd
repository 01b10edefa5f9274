@rem stillin/plan/1, written by stillin 0.1.0
@rem Recycles the application pools that may hold the tokens of these accounts:
@rem   f1  FABRIKAM\ada  disabled 2026-03-02T09:00:05.123Z  certain
@rem   f2  FABRIKAM\brandt  password reset 2026-03-02T11:30:00Z  possible
@echo off
setlocal EnableExtensions DisableDelayedExpansion
rem Run it on each server, as an administrator: it does the steps of that server.
set "ran="

rem EX01
if /i not "%COMPUTERNAME%"=="EX01" goto after1
set "ran=1"
echo Step 1: MSExchangeSyncAppPool, evicts FABRIKAM\ada; 112 others will log on again; for f1
%windir%\system32\inetsrv\appcmd.exe list wp /apppool.name:"MSExchangeSyncAppPool"
%windir%\system32\inetsrv\appcmd.exe recycle apppool /apppool.name:"MSExchangeSyncAppPool"
if errorlevel 1 goto failed
if not errorlevel 0 goto failed
%windir%\system32\inetsrv\appcmd.exe list wp /apppool.name:"MSExchangeSyncAppPool"
:after1

rem EX02
if /i not "%COMPUTERNAME%"=="EX02" goto after2
set "ran=1"
echo Step 2: MSExchangeRpcProxyFrontEndAppPool, evicts FABRIKAM\ada, FABRIKAM\brandt; 1 other user will log on again; for f1, f2
%windir%\system32\inetsrv\appcmd.exe list wp /apppool.name:"MSExchangeRpcProxyFrontEndAppPool"
%windir%\system32\inetsrv\appcmd.exe recycle apppool /apppool.name:"MSExchangeRpcProxyFrontEndAppPool"
if errorlevel 1 goto failed
if not errorlevel 0 goto failed
%windir%\system32\inetsrv\appcmd.exe list wp /apppool.name:"MSExchangeRpcProxyFrontEndAppPool"
:after2

if defined ran exit /b 0
echo No step of this plan is for %COMPUTERNAME%: nothing was done.
exit /b 1

:failed
echo Stopped: appcmd failed. The steps after it were not done.
exit /b 1
