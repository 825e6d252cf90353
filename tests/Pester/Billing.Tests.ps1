BeforeAll {
    Import-Module (Join-Path $PSScriptRoot '../../Inferloop.psd1') -Force
    Start-InferloopSandbox -ClockRate 60
    $today = (Get-InferloopSandbox).ClockTime.UtcDateTime.Date
    $first = [datetime]::new($today.Year, $today.Month, 1)
    $month = @{ Start = $first.AddMonths(-1); End = $first }
    $estimate = New-InferloopEnvironmentSpec -Name demo -Stage Dev | Get-InferloopCostEstimate
    $estimate | Add-InferloopSandboxBill @month -Factor 2

    function Get-Width($text) { ($text -split "`n" | Measure-Object -Property Length -Maximum).Maximum }
}

AfterAll {
    Stop-InferloopSandbox
}

Describe 'Get-InferloopCostReport' {
    It 'gives the bill by service and by component' {
        $report = Get-InferloopCostReport demo @month
        $expected = 2 * $estimate.MonthlyExpected * ($month.End - $month.Start).TotalHours / 730
        [math]::Round($report.Total, 2) | Should -Be ([math]::Round($expected, 2))
        [math]::Round(($report.Services | Measure-Object Amount -Sum).Sum, 2) | Should -Be ([math]::Round($expected, 2))
        $report.Components.Name | Should -Contain 'network'
        $report.Services[0].Amount | Should -BeGreaterThan $report.Services[1].Amount
    }

    It 'reads well at 100 columns' {
        Get-Width (Get-InferloopCostReport demo @month | Out-String -Width 100) | Should -BeLessOrEqual 100
    }

    It 'writes <_>' -ForEach 'html', 'md', 'csv', 'json' {
        $file = Get-InferloopCostReport demo @month -Daily -Path (Join-Path $TestDrive "report.$_")
        $file.Length | Should -BeGreaterThan 500
        if ($_ -eq 'csv') { (Import-Csv $file | Where-Object by -EQ service | Measure-Object amount -Sum).Sum | Should -BeGreaterThan 100 }
        if ($_ -eq 'json') { (Get-Content $file -Raw | ConvertFrom-Json).environment | Should -Be 'demo' }
        if ($_ -eq 'html') { Get-Content $file -Raw | Should -Match '<svg' }
    }
}

Describe 'Measure-InferloopCostAccuracy' {
    It 'tells the error in percent of the bill' {
        [math]::Round(($estimate | Measure-InferloopCostAccuracy @month).ErrorPercent, 2) | Should -Be (-50)
    }
}

Describe 'Set-InferloopBudget' {
    It 'takes its amount from an estimate' {
        $budget = $estimate | Set-InferloopBudget -BudgetName beside -MarginPercent 10 -Email ops@example.com -WarningAction Ignore
        $budget.Amount | Should -Be ([math]::Round($estimate.MonthlyExpected * 1.1, 2))
        $budget.Alerts.Percent | Should -Be 80, 100, 100
        Get-Width (Get-InferloopBudget | Out-String -Width 100) | Should -BeLessOrEqual 100
    }

    It 'does nothing when only asked' {
        Set-InferloopBudget -BudgetName another -Amount 5 -WhatIf
        Get-InferloopBudget -BudgetName another | Should -BeNullOrEmpty
    }
}

Describe 'Get-InferloopCostRecommendation' {
    It 'names what is saved and the command that saves it' {
        $found = New-InferloopEnvironmentSpec -Name demo -Stage Staging -NatGatewayMode PerAz | Get-InferloopCostRecommendation -Kind Network
        $found.MonthlySaving | Should -BeGreaterThan 30
        $found.Command | Should -Be 'Set-InferloopEnvironment demo -Stage Staging -NatGatewayMode Single'
    }

    It 'reads well at 100 columns' {
        Get-Width (New-InferloopEnvironmentSpec -Name demo -Stage Staging | Get-InferloopCostRecommendation | Out-String -Width 100) | Should -BeLessOrEqual 100
    }
}
