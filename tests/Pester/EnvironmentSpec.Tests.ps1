BeforeAll {
    Import-Module (Join-Path $PSScriptRoot '../../Inferloop.psd1') -Force
}

Describe 'New-InferloopEnvironmentSpec' {
    It 'gives each stage its preset' {
        $dev = New-InferloopEnvironmentSpec -Name demo -Stage Dev
        $prod = New-InferloopEnvironmentSpec -Name demo -Stage Prod
        $dev.Network.NatGatewayMode | Should -Be 'Single'
        $prod.Network.NatGatewayMode | Should -Be 'PerAz'
        $prod.Security.DeletionProtection | Should -BeTrue
        $dev.Security.DeletionProtection | Should -BeFalse
    }

    It 'reads well at 100 columns' {
        $text = New-InferloopEnvironmentSpec -Name demo -Stage Prod | Out-String -Width 100
        ($text -split "`n" | Measure-Object -Property Length -Maximum).Maximum | Should -BeLessOrEqual 100
        $text | Should -Match 'demo'
    }

    It 'refuses <Case> before anything is touched, with an id and what to do' -ForEach @(
        @{ Case = 'a name that AWS would refuse'; Arguments = @{ Name = 'Demo!' } }
        @{ Case = 'a network too small'; Arguments = @{ Name = 'demo'; VpcCidr = '10.0.0.0/30' } }
        @{ Case = 'overlapping subnets'; Arguments = @{ Name = 'demo'; PublicSubnet1Cidr = '10.0.1.0/24'; PublicSubnet2Cidr = '10.0.1.0/24' } }
        @{ Case = 'more tasks wanted than allowed'; Arguments = @{ Name = 'demo'; MinimumTasks = 9; MaximumTasks = 3 } }
        @{ Case = 'a region that does not exist'; Arguments = @{ Name = 'demo'; Region = 'mars-east-1' } }
    ) {
        $failure = { New-InferloopEnvironmentSpec @Arguments } | Should -Throw -PassThru
        $failure.FullyQualifiedErrorId | Should -Match '^[A-Za-z.]+,'
        $failure.ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
        $failure.CategoryInfo.Category | Should -Not -Be 'NotSpecified'
    }
}

Describe 'Export- and Import-InferloopEnvironmentSpec' {
    It 'come back the same from <_>' -ForEach 'yaml', 'json', 'psd1' {
        $path = Join-Path $TestDrive "spec.$_"
        $spec = New-InferloopEnvironmentSpec -Name demo -Stage Prod -MaximumTasks 12
        $spec | Export-InferloopEnvironmentSpec -Path $path
        Import-InferloopEnvironmentSpec -Path $path | Should -Be $spec
    }

    It 'never run code from a data file' {
        $path = Join-Path $TestDrive 'evil.psd1'
        $marker = Join-Path $TestDrive 'ran'
        Set-Content $path "@{ name = `$(New-Item '$marker'; 'demo') }"
        { Import-InferloopEnvironmentSpec -Path $path } | Should -Throw
        Test-Path $marker | Should -BeFalse
    }

    It 'name the line and the nearest member for an unknown key' {
        $path = Join-Path $TestDrive 'typo.yaml'
        Set-Content $path "name: demo`nstage: dev`nnetwork:`n  vpcCdir: 10.0.0.0/16`n"
        { Import-InferloopEnvironmentSpec -Path $path } | Should -Throw '*vpcCidr*'
    }
}

Describe 'Test-InferloopEnvironmentSpec' {
    It 'tells every finding at once as objects' {
        $findings = New-InferloopEnvironmentSpec -Name demo -Stage Prod | Test-InferloopEnvironmentSpec
        $findings.Rule | Should -Contain 'NoCertificate'
        $findings | ForEach-Object { $_.Recommendation | Should -Not -BeNullOrEmpty }
    }
}
