<#
.SYNOPSIS
Prices the spec of a commit, compares it with the spec of the branch it goes to, and ends with 1 where a limit is exceeded.

.DESCRIPTION
Runs offline: no account, no credentials. Leaves three files in Output: cost.md (a comment for the pull request), cost.xml (JUnit test results) and
cost.sarif (findings for code scanning). They are written before the verdict, so that a build that fails shows why.
#>
[CmdletBinding()]
param(
    # The spec's file in the repository (YAML, JSON or psd1).
    [string] $Spec = 'infra/prod.yaml',

    # What the change is compared with: a branch, a tag or a commit. A spec that is not there yet is held to MaxMonthlyCost alone.
    [string] $Base = 'origin/main',

    [decimal] $MaxMonthlyCost = 2000,
    [decimal] $MaxIncrease = 200,

    # Fail where anything that is charged has no price.
    [switch] $Strict,

    [string] $Output = 'cost-gate',
    [string] $Module = 'Inferloop'
)

$ErrorActionPreference = 'Stop'
Import-Module $Module
$null = [IO.Directory]::CreateDirectory([IO.Path]::GetFullPath($Output, "$PWD"))

$price = Import-InferloopEnvironmentSpec $Spec | Get-InferloopCostEstimate
$limits = @{ MaxMonthlyCost = $MaxMonthlyCost; Strict = $Strict }

# Whether the base has the spec is asked of git; every other error of git is an error here.
$listed = git ls-tree --name-only $Base -- $Spec
if ($LASTEXITCODE -ne 0) { throw "git does not know '$Base'. Fetch it first (in GitHub Actions: fetch-depth: 0)." }
if ($listed) {
    $before = [IO.Path]::Combine([IO.Path]::GetTempPath(), [guid]::NewGuid().ToString('N') + [IO.Path]::GetExtension($Spec))
    [IO.File]::WriteAllText($before, (git show "${Base}:$Spec") -join "`n")
    try {
        $price = $price | Compare-InferloopCostEstimate -ReferenceEstimate (Import-InferloopEnvironmentSpec $before | Get-InferloopCostEstimate)
    }
    finally {
        [IO.File]::Delete($before)
    }
    $limits.MaxIncrease = $MaxIncrease
}

foreach ($file in 'cost.md', 'cost.xml', 'cost.sarif') {
    $price | Export-InferloopCostEstimate ([IO.Path]::Combine($Output, $file)) @limits -SourcePath $Spec -Force
}

$gate = $price | Test-InferloopCostEstimate @limits
foreach ($failure in $gate.Failures) { Write-Warning $failure.Message }
exit $gate.ExitCode
