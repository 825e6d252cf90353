BeforeAll {
    Import-Module (Join-Path $PSScriptRoot '../../Inferloop.psd1') -Force
    Start-InferloopSandbox -ClockRate 3600 | Out-Null
    $environment = New-InferloopEnvironment demo Dev -EcsEnabled $false -DatabaseEnabled $false -CacheEnabled $false -BackupRetentionDays 7 6> $null
}

AfterAll { Stop-InferloopSandbox }

Describe 'New-InferloopBackup' {
    It 'backs up what the environment has, at 100 columns' {
        $made = $environment | New-InferloopBackup
        $made.Component | Should -Be @('Table', 'Bucket')
        $made.Status | Should -Be @('COMPLETED', 'COMPLETED')
        $text = $made | Out-String -Width 100
        ($text -split "`n" | Measure-Object -Property Length -Maximum).Maximum | Should -BeLessOrEqual 100
        $text | Should -Match 'Table +\d{4}-\d\d-\d\d'
    }

    It 'makes nothing with -WhatIf' {
        $before = @(Get-InferloopBackup demo).Count
        New-InferloopBackup demo -WhatIf
        @(Get-InferloopBackup demo).Count | Should -Be $before
    }
}

Describe 'Test- and Restore-InferloopBackup' {
    It 'tells what a backup is worth, at 100 columns' {
        $test = Get-InferloopBackup demo Table -Latest | Test-InferloopBackup
        $test.Passed | Should -BeTrue
        $text = $test | Out-String -Width 100
        ($text -split "`n" | Measure-Object -Property Length -Maximum).Maximum | Should -BeLessOrEqual 100
        $text | Should -Match 'restored and sound'
    }

    It 'restores beside what is there and says how to use it' {
        $restored = Restore-InferloopBackup demo Table -As jobs-now
        $restored.NextStep | Should -Match '-ReplicaTableName jobs-now'
        $failure = { Get-InferloopBackup demo Table -Latest | Restore-InferloopBackup -As jobs-now } | Should -Throw -PassThru
        $failure.FullyQualifiedErrorId | Should -Match '^RestoreTargetExists,'
        $failure.ErrorDetails.RecommendedAction | Should -Match '-As'
    }
}

Describe 'Remove-InferloopBackup' {
    It 'removes what comes down the pipeline' {
        Get-InferloopBackup demo | Remove-InferloopBackup -Confirm:$false
        Get-InferloopBackup demo | Should -BeNullOrEmpty
    }
}
