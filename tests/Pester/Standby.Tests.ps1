BeforeAll {
    Import-Module (Join-Path $PSScriptRoot '../../Inferloop.psd1') -Force
    Start-InferloopSandbox -ClockRate 3600 | Out-Null
    $environment = New-InferloopEnvironment demo Dev -RecoveryRegion us-west-2 -StandbyMode PilotLight -CacheEnabled $false 6> $null
}

AfterAll { Stop-InferloopSandbox }

Describe 'New-, Get- and Remove-InferloopStandby' {
    It 'makes what stands by, shows it at 100 columns, and removes it' {
        $standby = $environment | New-InferloopStandby 6> $null
        $standby.IsComplete | Should -BeTrue
        "$($standby.Mode) $($standby.Role) $($standby.Region)" | Should -Be 'PilotLight Standby us-west-2'
        $text = Get-InferloopStandby demo | Out-String -Width 100
        ($text -split "`n" | Measure-Object -Property Length -Maximum).Maximum | Should -BeLessOrEqual 100
        $text | Should -Match 'ok +Database'

        $failure = { Remove-InferloopEnvironment demo -Confirm:$false } | Should -Throw -PassThru
        $failure.ErrorDetails.RecommendedAction | Should -Match 'Remove-InferloopStandby'
        Remove-InferloopStandby demo -DeleteData -Confirm:$false 6> $null | Out-Null
        $none = { Get-InferloopStandby demo } | Should -Throw -PassThru
        $none.FullyQualifiedErrorId | Should -Match '^StandbyNotFound,'
    }
}
