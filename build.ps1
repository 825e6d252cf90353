#!/usr/bin/env pwsh
<#
.SYNOPSIS
    Builds, tests, documents, packages or tries the module. Everything here is 'dotnet' underneath: no step needs more than the .NET SDK.
.EXAMPLE
    ./build.ps1
    Lays out the importable module: Import-Module ./Inferloop.psd1
.EXAMPLE
    ./build.ps1 Build, Test -Configuration Release
#>
[CmdletBinding()]
param(
    # What to do, in this order.
    [Parameter(Position = 0)]
    [ValidateSet('Build', 'Test', 'Docs', 'Package', 'Quickstart')]
    [string[]] $Task = 'Build',

    [ValidateSet('Debug', 'Release')]
    [string] $Configuration = 'Debug'
)

$ErrorActionPreference = 'Stop'
$root = $PSScriptRoot

function Invoke-Dotnet {
    & dotnet @args
    if ($LASTEXITCODE -ne 0) { throw "dotnet $($args[0]) ended with exit code $LASTEXITCODE" }
}

# The solution, the module's layout under bin/ and its help under en-US/.
function Build { Invoke-Dotnet build "$root/Inferloop.PowerShell.sln" -c $Configuration -v minimal -nologo }

# All tests; what needs a tool that is not installed is skipped by name.
function Test {
    # 'dotnet test' takes its runner from global.json, which it looks for from the current folder.
    $before = $ExecutionContext.SessionState.Path.CurrentFileSystemLocation
    $null = $ExecutionContext.SessionState.Path.SetLocation($root)
    try { Invoke-Dotnet test -c $Configuration } finally { $null = $ExecutionContext.SessionState.Path.SetLocation($before) }
}

# Syntax and parameter metadata of docs/cmdlets from the built cmdlets; the prose stays. Then the help file from the pages.
function Docs {
    Build
    Invoke-Dotnet run --project "$root/src/Inferloop.Help" -c $Configuration --no-build -- update "$root/Inferloop.psd1" "$root/docs/cmdlets"
    Build
}

# The module and nothing else, as a folder to copy to a PSModulePath and as an archive of it.
function Package {
    $script:Configuration = 'Release'
    Build
    $version = [regex]::Match([System.IO.File]::ReadAllText("$root/Inferloop.psd1"), "ModuleVersion\s*=\s*'([^']+)'").Groups[1].Value
    $folder = "$root/artifacts/Inferloop/$version"
    if ([System.IO.Directory]::Exists($folder)) { [System.IO.Directory]::Delete($folder, $true) }
    foreach ($part in 'bin', 'en-US') {
        foreach ($file in [System.IO.Directory]::GetFiles("$root/$part", '*', 'AllDirectories')) {
            $target = [System.IO.Path]::Combine($folder, [System.IO.Path]::GetRelativePath($root, $file))
            $null = [System.IO.Directory]::CreateDirectory([System.IO.Path]::GetDirectoryName($target))
            [System.IO.File]::Copy($file, $target)
        }
    }
    foreach ($file in 'Inferloop.psd1', 'LICENSE', 'NOTICE', 'README.md') { [System.IO.File]::Copy("$root/$file", "$folder/$file") }
    $archive = "$root/artifacts/Inferloop.$version.zip"
    [System.IO.File]::Delete($archive)
    [System.IO.Compression.ZipFile]::CreateFromDirectory($folder, $archive)
    "$folder"
    "$archive"
}

# The main job on the sandbox, from nothing to nothing, without an AWS account.
function Quickstart { Invoke-Dotnet run --project "$root/src/Inferloop.Shell" -c $Configuration -- "$root/docs/examples/quickstart.ps1" }

foreach ($name in $Task) { & $name }
