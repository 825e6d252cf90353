# The life of an environment as an operator types it, on a sandbox whose clock runs fast.
BeforeAll {
    Import-Module (Join-Path $PSScriptRoot '../../Inferloop.psd1') -Force
    $null = Start-InferloopSandbox -ClockRate 5000
    $spec = New-InferloopEnvironmentSpec -Name pester -Stage Dev
    $environment = $spec | New-InferloopEnvironment 6>$null

    function Measure-Width($text) { ($text -split "`n" | Measure-Object -Property Length -Maximum).Maximum }
}

AfterAll { Stop-InferloopSandbox }

Describe 'New-InferloopEnvironment' {
    It 'gives the environment as an object that is healthy' {
        $environment.Name | Should -Be 'pester'
        $environment.Status | Should -Be 'CREATE_COMPLETE'
        (Get-InferloopEnvironment pester).Health | Should -Be 'Healthy'
    }

    It 'refuses a second one of the name and says what to do instead' {
        $failure = { $spec | New-InferloopEnvironment } | Should -Throw -PassThru
        $failure.FullyQualifiedErrorId | Should -BeLike 'EnvironmentExists,*'
        $failure.ErrorDetails.RecommendedAction | Should -Match 'Set-InferloopEnvironment'
    }

    It 'creates nothing under -WhatIf, and says what it would cost' {
        $text = New-InferloopEnvironmentSpec -Name other -Stage Prod | New-InferloopEnvironment -WhatIf 3>$null | Out-String -Width 100
        $text | Should -Match 'Monthly cost +: 0\.00 -> \d+\.\d\d USD'
        Measure-Width $text | Should -BeLessOrEqual 100
        Get-InferloopEnvironment -Name other* | Should -BeNullOrEmpty
    }

    It 'refuses what costs more than is allowed, before anything is touched' {
        $failure = { New-InferloopEnvironmentSpec -Name dear -Stage Prod | New-InferloopEnvironment -MaxMonthlyCost 5 } | Should -Throw -PassThru
        $failure.FullyQualifiedErrorId | Should -BeLike 'MonthlyCostExceeded,*'
        Get-InferloopEnvironment -Name dear* | Should -BeNullOrEmpty
    }
}

Describe 'Get-InferloopEnvironment and its parts' {
    It 'reads well at 100 columns: <_>' -ForEach 'Get-InferloopEnvironment', 'Get-InferloopEnvironment | Get-InferloopEnvironmentComponent', 'Get-InferloopSandbox', 'Get-InferloopIdentity' {
        $text = & ([scriptblock]::Create($_)) | Out-String -Width 100
        $text.Trim() | Should -Not -BeNullOrEmpty
        Measure-Width $text | Should -BeLessOrEqual 100
    }

    It 'names what exists when a name does not' {
        $failure = { Get-InferloopEnvironment nope -ErrorAction Stop } | Should -Throw -PassThru
        $failure.FullyQualifiedErrorId | Should -BeLike 'EnvironmentNotFound,*'
        $failure.ErrorDetails.RecommendedAction | Should -Match 'Get-InferloopEnvironment'
    }

    It 'every part is healthy' {
        $parts = $environment | Get-InferloopEnvironmentComponent
        $parts.Count | Should -BeGreaterThan 10
        $parts | Where-Object Health -NE 'Healthy' | Should -BeNullOrEmpty
    }

    It 'keeps the events, oldest first' {
        $events = @($environment | Get-InferloopEnvironmentEvent)
        $events[0].Time | Should -BeLessOrEqual $events[-1].Time
        $events.Path | Should -Contain 'Network/Vpc'
    }
}

Describe 'Set-InferloopEnvironment' {
    It 'previews without a change' {
        $before = (Get-InferloopEnvironment pester).Spec
        $before | Should -Not -BeNullOrEmpty
        $null = $environment | Set-InferloopEnvironment -MaximumTasks 7 -WhatIf
        (Get-InferloopEnvironment pester).Spec | Should -Be $before
    }

    It 'applies the change, and a second time there is nothing to do' {
        $environment | Set-InferloopEnvironment -MaximumTasks 8 -Confirm:$false 6>$null
        $changed = Get-InferloopEnvironment pester
        $changed.Spec.Ecs.MaximumTasks | Should -Be 8
        $changed | Set-InferloopEnvironment -MaximumTasks 8 -Confirm:$false 3>$null 6>$null
        (Get-InferloopEnvironment pester).Updated | Should -Be $changed.Updated
    }
}

Describe 'Remove-InferloopEnvironment' {
    It 'asks, and where there is no one to ask says so and removes nothing' {
        $failure = { $environment | Remove-InferloopEnvironment } | Should -Throw -PassThru
        $failure.FullyQualifiedErrorId | Should -BeLike 'PromptNotPossible,*'
        Get-InferloopEnvironment pester | Should -Not -BeNullOrEmpty
    }

    It 'keeps the data unless told in so many words' {
        $removed = $environment | Remove-InferloopEnvironment -Confirm:$false 6>$null
        ($removed | Out-String) | Should -Match 'AWS::DynamoDB::Table'
        Get-InferloopEnvironment -Name pester* | Should -BeNullOrEmpty
    }
}
