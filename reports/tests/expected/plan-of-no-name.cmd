@rem stillin/plan/1, written by stillin _cmd__ /C calc__A0 _img src_x onerror__alert_1___ \x1b_2J\x1b_0;t\x07 \u_202e_gpj\u_2066_\u_200f_ \x9b31m \x7f \u_2028_ \x0d\x0a,\x09\x00 _q_ _q_ __ _
@rem Recycles the application pools that may hold the tokens of these accounts:
@rem   _cmd__ /C calc__A0 _img src_x onerror__alert_1___ \x1b_2J\x1b_0;t\x07 \u_202e_gpj\u_2066_\u_200f_ \x9b31m \x7f \u_2028_ \x0d\x0a,\x09\x00 _q_ _q_ __ _  _cmd__ /C calc__A0 _img src_x onerror__alert_1___ \x1b_2J\x1b_0;t\x07 \u_202e_gpj\u_2066_\u_200f_ \x9b31m \x7f \u_2028_ \x0d\x0a,\x09\x00 _q_ _q_ __ _  disabled 2026-03-02T09:00:05.123Z  certain
@rem   _cmd__ /C calc__A0 _img src_x onerror__alert_1___ \x1b_2J\x1b_0;t\x07 \u_202e_gpj\u_2066_\u_200f_ \x9b31m \x7f \u_2028_ \x0d\x0a,\x09\x00 _q_ _q_ __ _  _cmd__ /C calc__A0 _img src_x onerror__alert_1___ \x1b_2J\x1b_0;t\x07 \u_202e_gpj\u_2066_\u_200f_ \x9b31m \x7f \u_2028_ \x0d\x0a,\x09\x00 _q_ _q_ __ _  password reset 2026-03-02T11:30:00Z  possible
@rem 2 steps are left out, because the name of the server or pool cannot stand here: 1, 2
@echo off
setlocal EnableExtensions DisableDelayedExpansion
echo No step of the plan can stand in this script: nothing was done.
exit /b 1
