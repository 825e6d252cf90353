BeforeAll {
    Import-Module (Join-Path $PSScriptRoot '../../Inferloop.psd1') -Force
}

Describe 'Help' {
    It 'has help with a synopsis and two examples for <_>' -ForEach (Import-PowerShellDataFile (Join-Path $PSScriptRoot '../../Inferloop.psd1')).CmdletsToExport {
        $help = Get-Help $_ -Full
        $help.Synopsis | Should -Not -BeNullOrEmpty
        $help.Synopsis | Should -Not -BeLike "*$_ *[[]*"
        @($help.examples.example).Count | Should -BeGreaterOrEqual 2
    }
}
