# stillin/plan/1, written by stillin =cmd|' /C calc'!A0 <img src=x onerror="alert(1)"> \x1b[2J\x1b]0;t\x07 \u{202e}gpj\u{2066}\u{200f} \x9b31m \x7f \u{2028} \x0d\x0a,\x09\x00 'q' "q" \u{65e5}\u{672c} \u{e9}
# Recycles the application pools that may hold the tokens of these accounts:
#   =cmd|' /C calc'!A0 <img src=x onerror="alert(1)"> \x1b[2J\x1b]0;t\x07 \u{202e}gpj\u{2066}\u{200f} \x9b31m \x7f \u{2028} \x0d\x0a,\x09\x00 'q' "q" \u{65e5}\u{672c} \u{e9}  =cmd|' /C calc'!A0 <img src=x onerror="alert(1)"> \x1b[2J\x1b]0;t\x07 \u{202e}gpj\u{2066}\u{200f} \x9b31m \x7f \u{2028} \x0d\x0a,\x09\x00 'q' "q" \u{65e5}\u{672c} \u{e9}  disabled 2026-03-02T09:00:05.123Z  certain
#   =cmd|' /C calc'!A0 <img src=x onerror="alert(1)"> \x1b[2J\x1b]0;t\x07 \u{202e}gpj\u{2066}\u{200f} \x9b31m \x7f \u{2028} \x0d\x0a,\x09\x00 'q' "q" \u{65e5}\u{672c} \u{e9}  =cmd|' /C calc'!A0 <img src=x onerror="alert(1)"> \x1b[2J\x1b]0;t\x07 \u{202e}gpj\u{2066}\u{200f} \x9b31m \x7f \u{2028} \x0d\x0a,\x09\x00 'q' "q" \u{65e5}\u{672c} \u{e9}  password reset 2026-03-02T11:30:00Z  possible
# 2 steps are left out, because the name of the server or pool cannot stand here: 1, 2

throw 'No step of the plan can stand in this script: nothing was done.'
