BeforeAll {
    Import-Module (Join-Path $PSScriptRoot '../../Inferloop.psd1') -Force
    Start-InferloopSandbox -ClockRate 3600 | Out-Null
    $environment = New-InferloopEnvironment demo Dev -DatabaseEnabled $false -CacheEnabled $false 6> $null
}

AfterAll { Stop-InferloopSandbox }

Describe 'Get-InferloopScaling' {
    It 'shows what scales, at 100 columns' {
        $text = $environment | Get-InferloopScaling | Out-String -Width 100
        ($text -split "`n" | Measure-Object -Property Length -Maximum).Maximum | Should -BeLessOrEqual 100
        $text | Should -Match 'Ecs +1 +1 +3 tasks +Cpu 70 %'
    }
}

Describe 'Set-InferloopScaling' {
    It 'shows before, after and the cost with -WhatIf, and changes nothing' {
        $change = Set-InferloopScaling demo Ecs -Maximum 6 -WhatIf
        $change.Applied | Should -BeFalse
        $text = $change | Out-String -Width 100
        ($text -split "`n" | Measure-Object -Property Length -Maximum).Maximum | Should -BeLessOrEqual 100
        $text | Should -Match 'MaximumTasks 3 -> 6'
        $text | Should -Match 'Cost a month'
        (Get-InferloopScaling demo Ecs).Maximum | Should -Be 3
    }

    It 'goes through the spec and leaves no drift' {
        $change = Get-InferloopScaling demo Ecs | Set-InferloopScaling -Maximum 6 -Schedule 'cron(0 8 ? * MON-FRI *)' -TimeZone Europe/Berlin -ScheduledMinimum 3 6> $null
        $change.Applied | Should -BeTrue
        $change.After[0].Maximum | Should -Be 6
        $change.Schedule[0].Next | Should -HaveCount 3
        (Get-InferloopEnvironment demo).Spec.Ecs.MaximumTasks | Should -Be 6
        Get-InferloopDrift demo | Should -BeNullOrEmpty
    }

    It 'says what to do where something cannot be' {
        $failure = { Set-InferloopScaling demo Ecs -Maximum 60 } | Should -Throw -PassThru
        $failure.FullyQualifiedErrorId | Should -Match '^ScalingQuota,'
        $failure.ErrorDetails.RecommendedAction | Should -Match 'request-service-quota-increase'
    }
}

Describe 'Measure-InferloopScaling' {
    It 'tells of a load what came of it, at 100 columns' {
        $measured = $environment | Measure-InferloopScaling -From 1 -To 20 -Quiet 0:05:00 -Duration 0:30:00 -WarningAction Ignore
        $measured.PeakRequestsPerSecond | Should -BeGreaterThan 0
        $text = $measured | Out-String -Width 100
        ($text -split "`n" | Measure-Object -Property Length -Maximum).Maximum | Should -BeLessOrEqual 100
        $text | Should -Match 'Time to scale'
    }
}
