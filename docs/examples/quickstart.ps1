<#
    The main job, from nothing to a running environment and back, on the sandbox: no AWS account is touched.

        dotnet run --project src/Inferloop.Shell -- docs/examples/quickstart.ps1        with the .NET SDK alone
        pwsh docs/examples/quickstart.ps1                                               with PowerShell 7.4 or later

    Against AWS the same commands run as they are, without Start- and Stop-InferloopSandbox: give -ProfileName and -Region.
#>
param(
    # Sandbox seconds in a second: a load balancer takes two minutes in AWS, here two seconds.
    [double] $ClockRate = 60
)

$ErrorActionPreference = 'Stop'
Import-Module "$PSScriptRoot/../../Inferloop.psd1"

function Step([string] $Text) { Write-Host ''; Write-Host "== $Text" -ForegroundColor Cyan }

Step 'A sandbox: AWS on this machine'
Start-InferloopSandbox -ClockRate $ClockRate -PassThru | Out-Default

try {
    Step 'A spec: the preset of a stage, with what shall differ'
    $spec = New-InferloopEnvironmentSpec -Name demo -Stage Staging -Region us-east-1 -MaximumTasks 6 -Tags @{ team = 'data' }
    $spec | Out-Default

    Step 'What it will cost a month, before anything exists'
    $spec | Get-InferloopCostEstimate | Out-Default

    Step 'Create it: nested stacks through a change set, events as they happen'
    $environment = $spec | New-InferloopEnvironment
    $environment | Out-Default

    Step 'Its parts, and how each does'
    $environment | Get-InferloopEnvironmentComponent | Out-Default

    Step 'What a change would do, and what it would do to the price; nothing is changed yet'
    $environment | Set-InferloopEnvironment -NatGatewayMode PerAz -DesiredTasks 3 -WhatIf | Out-Default

    Step 'Apply it'
    $environment | Set-InferloopEnvironment -NatGatewayMode PerAz -DesiredTasks 3 -PassThru | Out-Default

    Step 'What happened to one resource'
    Get-InferloopEnvironmentEvent demo | Where-Object Path -like '*NatGateway2' | Out-Default

    Step 'Remove it, with its data'
    Remove-InferloopEnvironment demo -DeleteData -Confirm:$false | Out-Default
}
finally {
    Step 'Stop the sandbox'
    Stop-InferloopSandbox
}
