# stillin/plan/1, written by stillin 0.1.0
# Recycles the application pools that may hold the tokens of these accounts:
#   f1  FABRIKAM\ada  disabled 2026-03-02T09:00:05.123Z  certain
#   f2  FABRIKAM\brandt  password reset 2026-03-02T11:30:00Z  possible
#
# .\plan.ps1 -WhatIf          shows what would be done
# .\plan.ps1                  asks before each step
# .\plan.ps1 -Confirm:$false  does not ask
#
# It needs the rights of an administrator on the servers, and PowerShell remoting to those that it is not run on.
#Requires -Version 5.1

[CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
param(
    # Only these servers of the plan; without it all of them, in order.
    [string[]] $Server
)

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'

$steps = @(
    [pscustomobject] @{ Step = 1; Server = 'EX01'; Pool = 'MSExchangeSyncAppPool'; Reason = 'evicts FABRIKAM\ada; 112 others will log on again; for f1' }
    [pscustomobject] @{ Step = 2; Server = 'EX02'; Pool = 'MSExchangeRpcProxyFrontEndAppPool'; Reason = 'evicts FABRIKAM\ada, FABRIKAM\brandt; 1 other user will log on again; for f1, f2' }
)

# Runs on the server itself.
$appcmd = {
    param([string[]] $Arguments)
    $ErrorActionPreference = 'Stop'
    # An exit status is for the caller to judge.
    $PSNativeCommandUseErrorActionPreference = $false
    $output = @(& "$env:windir\System32\inetsrv\appcmd.exe" @Arguments)
    [pscustomobject] @{ Exit = $LASTEXITCODE; Output = $output }
}

function Invoke-Appcmd([string] $Name, [string[]] $Arguments) {
    $here = $env:COMPUTERNAME, [System.Net.Dns]::GetHostName()
    $result = if ($here -contains $Name) {
        & $appcmd $Arguments
    } else {
        Invoke-Command -ComputerName $Name -ScriptBlock $appcmd -ArgumentList (, $Arguments)
    }
    # A list without an entry is no output and no success.
    if ($result.Exit -ne 0 -and ($result.Output -or $Arguments[0] -ne 'list')) {
        throw "${Name}: appcmd $Arguments ended with status $($result.Exit): $($result.Output)"
    }
    $result.Output
}

function Get-Pool([string] $Name) {
    foreach ($line in Invoke-Appcmd $Name 'list', 'apppool') {
        if ($line -match '^APPPOOL "(.+)" \(') { $Matches[1] }
    }
}

function Get-Worker([string] $Name, [string] $Pool) {
    foreach ($line in Invoke-Appcmd $Name 'list', 'wp') {
        if ($line -match '^WP "(\d+)" \(applicationPool:(.+)\)$' -and $Matches[2] -eq $Pool) {
            [int] $Matches[1]
        }
    }
}

foreach ($name in $Server) {
    if (@($steps | ForEach-Object { $_.Server }) -notcontains $name) { throw "$name is no server of this plan" }
}
$chosen = @($steps | Where-Object { -not $Server -or $Server -contains $_.Server })

# Nothing is touched before every pool is known to be there.
foreach ($name in @($chosen | ForEach-Object { $_.Server } | Select-Object -Unique)) {
    $there = @(Get-Pool $name)
    foreach ($step in $chosen) {
        if ($step.Server -eq $name -and $there -notcontains $step.Pool) {
            throw "${name}: has no application pool $($step.Pool); nothing was recycled"
        }
    }
}

foreach ($step in $chosen) {
    if (-not $PSCmdlet.ShouldProcess("$($step.Pool) on $($step.Server)", "Recycle ($($step.Reason))")) { continue }
    $before = @(Get-Worker $step.Server $step.Pool)
    $at = [DateTime]::UtcNow
    $output = Invoke-Appcmd $step.Server 'recycle', 'apppool', "/apppool.name:$($step.Pool)"
    # A new worker starts at once; the old one may take 90 s to end what it has begun.
    do {
        $after = @(Get-Worker $step.Server $step.Pool)
        $new = @($after | Where-Object { $before -notcontains $_ })
        $old = @($after | Where-Object { $before -contains $_ })
        $isDone = $new.Count -gt 0 -or $old.Count -eq 0
        if (-not $isDone) { Start-Sleep -Seconds 2 }
    } until ($isDone -or [DateTime]::UtcNow -gt $at.AddSeconds(90))
    [pscustomobject] @{
        Step = $step.Step
        Server = $step.Server
        Pool = $step.Pool
        At = "$($at.ToString('s'))Z"
        WorkersBefore = $before
        WorkersAfter = $after
        Output = "$output"
    }
    if (-not $isDone) {
        throw "$($step.Server): $($step.Pool) still has its old worker process and no other: it was not recycled"
    }
}
